// What an epoll event belongs to: one of these, a stranger of the listener, or a channel's number.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_STREAM_STREAM_TAGS_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_STREAM_STREAM_TAGS_H_

#include <cstdint>

namespace baton::transport {

inline constexpr uint64_t kListenerTag = 0;
inline constexpr uint64_t kTimerTag = 1;
inline constexpr uint64_t kFirstChannel = 16;

}  // namespace baton::transport

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_STREAM_STREAM_TAGS_H_

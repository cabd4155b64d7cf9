// Channels that may have something to post, in turn. Thread-compatible.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_VERBS_RUN_QUEUE_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_VERBS_RUN_QUEUE_H_

#include <cstddef>
#include <vector>

#include "transfer_agent/transport/verbs/channel.h"

namespace baton::transport::verbs {

class RunQueue {
 public:
  bool empty() const { return channels_.empty(); }
  void Add(Channel* channel) {
    if (channel->runnable) return;
    channel->runnable = true;
    channels_.push_back(channel);
  }
  void Remove(const Channel* channel) {
    if (channel->runnable) std::erase(channels_, channel);
  }
  // Calls serve(channel) once for each; false takes it out until it is added again. True when one
  // returned true. What `serve` adds has its turn in the next call, and it may remove any.
  template <typename ServeOne>
  bool Serve(ServeOne serve) {
    bool worked = false;
    for (size_t left = channels_.size(), at = 0; left > 0 && at < channels_.size(); --left) {
      Channel* channel = channels_[at];
      if (serve(channel)) {
        worked = true;
        // It may be gone, and then its place holds another or nothing.
        if (at < channels_.size() && channels_[at] == channel) ++at;
        continue;
      }
      channel->runnable = false;
      channels_.erase(channels_.begin() + static_cast<ptrdiff_t>(at));
    }
    return worked;
  }

 private:
  std::vector<Channel*> channels_;
};

}  // namespace baton::transport::verbs

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_VERBS_RUN_QUEUE_H_

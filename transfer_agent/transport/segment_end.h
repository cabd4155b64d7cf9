// How a segment ended when its channel failed: a mark on the status of OnSegmentDone.
//
// A channel that fails ends all its segments. Whether the bytes of one may land still decides when
// its pages at the target are free: what was posted and never acknowledged is in doubt until the
// target has ended its end of the channel (Transport::Retire).
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_SEGMENT_END_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_SEGMENT_END_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/cord.h"

namespace baton::transport {

enum class SegmentEnd : uint8_t {
  kKnown,   // acknowledged, cancelled before anything was posted, or refused
  kFailed,  // its channel failed; nothing of it is under way
  kDoubt,   // its channel failed; what was posted may land still
};

inline constexpr char kSegmentEndUrl[] = "baton/segment_end";

// `status` is not OK.
inline absl::Status Mark(absl::Status status, SegmentEnd end) {
  status.SetPayload(kSegmentEndUrl, absl::Cord(end == SegmentEnd::kDoubt ? "doubt" : "failed"));
  return status;
}

inline SegmentEnd EndOf(const absl::Status& status) {
  const auto mark = status.GetPayload(kSegmentEndUrl);
  if (!mark.has_value()) return SegmentEnd::kKnown;
  return *mark == "doubt" ? SegmentEnd::kDoubt : SegmentEnd::kFailed;
}

}  // namespace baton::transport

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_SEGMENT_END_H_

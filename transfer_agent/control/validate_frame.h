// Bounds of every field that a peer fills and whose size or range nothing else limits. What passes
// may still be wrong (a page outside of its pool, an unknown rank): who uses it checks that.
#ifndef BATON_TRANSFER_AGENT_CONTROL_VALIDATE_FRAME_H_
#define BATON_TRANSFER_AGENT_CONTROL_VALIDATE_FRAME_H_

#include "absl/status/status.h"
#include "baton/v1/control.pb.h"

namespace baton::control {

inline constexpr int kAnnouncedRanksMax = 1024;
inline constexpr int kPageListsMax = 64;
inline constexpr size_t kPageListBytesMax = 4 << 20;
inline constexpr size_t kChannelDataBytesMax = 64 << 10;

// BAD_MESSAGE with the field's path and both values. A frame without a known body passes: it comes
// from a newer version.
absl::Status ValidateFrame(const v1::Frame& frame);

}  // namespace baton::control

#endif  // BATON_TRANSFER_AGENT_CONTROL_VALIDATE_FRAME_H_

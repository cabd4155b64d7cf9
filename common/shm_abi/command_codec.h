// Commands as bytes: fixed little-endian records, so that an engine writes a call straight into the
// ring and an agent can check every length before it reads.
//
//   record: fixed part (a packed struct below), then what it counts: page counts (uint32 for each
//   group), all pages (int32), state rows (uint32), text. Nothing may be left over.
#ifndef BATON_COMMON_SHM_ABI_COMMAND_CODEC_H_
#define BATON_COMMON_SHM_ABI_COMMAND_CODEC_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/shm_abi/commands.h"
#include "common/shm_abi/ring_layout.h"

namespace baton::shm_abi {

inline constexpr uint32_t kServerNameMax = 255;
inline constexpr uint32_t kAbortTextMax = 255;

using PageLists = absl::Span<const absl::Span<const int32_t>>;

// Commands as an engine has them: their lists are borrowed. `head` has no lists of its own.
struct OpenReceiveView {
  const OpenReceive& head;  // all but prefill_server, pages, state_rows
  absl::string_view prefill_server;
  PageLists pages;
  absl::Span<const uint32_t> state_rows;
};
struct ProvideView {
  const Provide& head;  // all but pages, state_rows
  PageLists pages;
  absl::Span<const uint32_t> state_rows;
};
struct SendView {
  const Send& head;  // all but pages, state_rows
  PageLists pages;
  absl::Span<const uint32_t> state_rows;
};
struct WatchPeerView {
  PeerRef peer;
  absl::string_view server;  // at most kServerNameMax
};
struct AbortView {
  SlotRef slot;
  absl::string_view why;  // cut at kAbortTextMax
};

// OK when the lists are within kPageGroupsMax, kPagesMax and kStateRowsMax, and the name within
// kServerNameMax: BAD_PAGES or TOO_LARGE names the limit. Check before Encode.
absl::Status CheckLimits(const OpenReceiveView& command);
absl::Status CheckLimits(const ProvideView& command);
absl::Status CheckLimits(const SendView& command);

// Bytes that Encode writes.
uint64_t EncodedBytes(const OpenSend& command);
uint64_t EncodedBytes(const OpenReceiveView& command);
uint64_t EncodedBytes(const ProvideView& command);
uint64_t EncodedBytes(const SendView& command);
uint64_t EncodedBytes(const AbortView& command);
uint64_t EncodedBytes(const Close& command);
uint64_t EncodedBytes(const WatchPeerView& command);
uint64_t EncodedBytes(const ForgetPeer& command);

void Encode(const OpenSend& command, std::byte* out);
void Encode(const OpenReceiveView& command, std::byte* out);
void Encode(const ProvideView& command, std::byte* out);
void Encode(const SendView& command, std::byte* out);
void Encode(const AbortView& command, std::byte* out);
void Encode(const Close& command, std::byte* out);
void Encode(const WatchPeerView& command, std::byte* out);
void Encode(const ForgetPeer& command, std::byte* out);

EntryKind KindOf(const Command& command);
// A whole command as bytes, for tests and tools.
std::string EncodeCommand(const Command& command);

// What commands may name.
struct TableSizes {
  uint32_t slots = 0;
  uint32_t peers = 0;
};

// BAD_MESSAGE says which field is wrong. Slots and peers are within `sizes`; page numbers and
// tokens are not judged here; texts are made clean UTF-8.
absl::StatusOr<Command> DecodeCommand(EntryKind kind, absl::Span<const std::byte> body,
                                      TableSizes sizes);

}  // namespace baton::shm_abi

#endif  // BATON_COMMON_SHM_ABI_COMMAND_CODEC_H_

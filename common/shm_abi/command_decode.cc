#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/reason.h"
#include "common/shm_abi/command_codec.h"
#include "common/shm_abi/command_records.h"
#include "common/utf8.h"

namespace baton::shm_abi {
namespace {

// Reads from bytes of which nothing is known. The first read past the end makes it fail for good;
// values read after that are zero.
class Reader {
 public:
  explicit Reader(absl::Span<const std::byte> bytes) : left_(bytes) {}

  template <typename T>
  T Get() {
    T value = {};
    Bytes(&value, sizeof(value));
    return value;
  }
  template <typename T>
  std::vector<T> List(uint64_t count) {
    // Before anything is allocated: what is not there is not believed.
    if (count > left_.size() / sizeof(T)) failed_ = true;
    if (failed_) return {};
    std::vector<T> list(count);
    Bytes(list.data(), count * sizeof(T));
    return list;
  }
  // Clean, because it travels on in protobuf strings and logs.
  std::string Text(uint64_t bytes) {
    if (bytes > left_.size()) failed_ = true;
    if (failed_) return {};
    absl::string_view text(reinterpret_cast<const char*>(left_.data()), bytes);
    left_.remove_prefix(bytes);
    return CleanUtf8(text);
  }
  absl::Status Finish() const {
    if (failed_) return Error(Reason::kBadMessage, "what it counts runs past its end");
    if (left_.empty()) return absl::OkStatus();
    return Error(Reason::kBadMessage, absl::StrCat(left_.size(), " bytes are left over"));
  }

 private:
  void Bytes(void* to, size_t bytes) {
    if (bytes > left_.size()) failed_ = true;
    if (failed_ || bytes == 0) return;
    memcpy(to, left_.data(), bytes);
    left_.remove_prefix(bytes);
  }

  absl::Span<const std::byte> left_;
  bool failed_ = false;
};

absl::Status BadField(absl::string_view field, uint64_t value, absl::string_view allowed) {
  return Error(Reason::kBadMessage, absl::StrCat(field, " is ", value, ", not ", allowed));
}

absl::Status CheckSlot(SlotRef ref, uint32_t slots) {
  if (ref.slot >= slots) return BadField("slot", ref.slot, absl::StrCat("below ", slots));
  if (ref.generation == 0) return BadField("generation", 0, "1 or more");
  return absl::OkStatus();
}

absl::Status CheckPeer(PeerRef ref, uint32_t peers) {
  if (ref.peer >= peers) return BadField("peer", ref.peer, absl::StrCat("below ", peers));
  if (ref.generation == 0) return BadField("generation", 0, "1 or more");
  return absl::OkStatus();
}

absl::Status CheckServerBytes(uint32_t bytes) {
  if (bytes > 0 && bytes <= kServerNameMax) return absl::OkStatus();
  return BadField("server name bytes", bytes, absl::StrCat("1 to ", kServerNameMax));
}

absl::Status CheckCounts(uint32_t groups, uint32_t state_rows) {
  if (groups > kPageGroupsMax) {
    return BadField("page groups", groups, absl::StrCat("at most ", kPageGroupsMax));
  }
  if (state_rows > kStateRowsMax) {
    return BadField("state rows", state_rows, absl::StrCat("at most ", kStateRowsMax));
  }
  return absl::OkStatus();
}

absl::Status ReadPages(Reader* reader, uint32_t groups, std::vector<std::vector<int32_t>>* pages) {
  std::vector<uint32_t> counts = reader->List<uint32_t>(groups);
  uint64_t total = 0;
  for (uint32_t count : counts) total += count;
  if (total > kPagesMax) return BadField("pages", total, absl::StrCat("at most ", kPagesMax));
  for (uint32_t count : counts) pages->push_back(reader->List<int32_t>(count));
  return absl::OkStatus();
}

absl::StatusOr<Command> DecodeOpenSend(Reader* reader, uint32_t slots) {
  auto r = reader->Get<OpenSendRecord>();
  if (absl::Status s = reader->Finish(); !s.ok()) return s;
  OpenSend open{{r.slot, r.generation}, {r.room_id, r.room_nonce}, std::nullopt, r.time_left_ms};
  if (r.total_known > 1) return BadField("total_known", r.total_known, "0 or 1");
  if (r.total_known == 1) open.total_tokens = r.total_tokens;
  if (absl::Status s = CheckSlot(open.slot, slots); !s.ok()) return s;
  return open;
}

absl::Status CheckOpenReceive(const OpenReceiveRecord& r) {
  if (r.prefill_dp_known > 1) return BadField("prefill_dp_known", r.prefill_dp_known, "0 or 1");
  if (r.tp_holder < 1 || r.tp_holder > 2) return BadField("tp_holder", r.tp_holder, "1 or 2");
  if (r.cp_holder < 1 || r.cp_holder > 2) return BadField("cp_holder", r.cp_holder, "1 or 2");
  if (absl::Status s = CheckServerBytes(r.server_bytes); !s.ok()) return s;
  return CheckCounts(r.groups, r.state_rows);
}

absl::StatusOr<Command> DecodeOpenReceive(Reader* reader, uint32_t slots) {
  auto r = reader->Get<OpenReceiveRecord>();
  OpenReceive open;
  open.slot = {r.slot, r.generation};
  open.room = {r.room_id, r.room_nonce};
  if (r.prefill_dp_known != 0) open.prefill_dp = r.prefill_dp;
  open.tp_holder = r.tp_holder;
  open.cp_holder = r.cp_holder;
  open.total_tokens = r.total_tokens;
  open.prefix_tokens = r.prefix_tokens;
  open.time_left_ms = r.time_left_ms;
  open.aux_row = r.aux_row;
  open.announced = r.announced != 0;
  if (r.announced > 1) return BadField("announced", r.announced, "0 or 1");
  if (absl::Status s = CheckOpenReceive(r); !s.ok()) return s;
  if (absl::Status s = ReadPages(reader, r.groups, &open.pages); !s.ok()) return s;
  open.state_rows = reader->List<uint32_t>(r.state_rows);
  open.prefill_server = reader->Text(r.server_bytes);
  if (absl::Status s = reader->Finish(); !s.ok()) return s;
  if (absl::Status s = CheckSlot(open.slot, slots); !s.ok()) return s;
  return open;
}

absl::StatusOr<Command> DecodeProvide(Reader* reader, uint32_t slots) {
  auto r = reader->Get<ProvideRecord>();
  Provide provide{{r.slot, r.generation}, r.total_tokens, r.prefix_tokens, {}, {}, r.aux_row};
  if (absl::Status s = CheckCounts(r.groups, r.state_rows); !s.ok()) return s;
  if (absl::Status s = ReadPages(reader, r.groups, &provide.pages); !s.ok()) return s;
  provide.state_rows = reader->List<uint32_t>(r.state_rows);
  if (absl::Status s = reader->Finish(); !s.ok()) return s;
  if (absl::Status s = CheckSlot(provide.slot, slots); !s.ok()) return s;
  return provide;
}

absl::StatusOr<Command> DecodeSend(Reader* reader, uint32_t slots) {
  auto r = reader->Get<SendRecord>();
  Send send;
  send.slot = {r.slot, r.generation};
  send.token_begin = r.token_begin;
  send.token_end = r.token_end;
  send.layer_begin = r.layer_begin;
  send.layer_end = r.layer_end;
  send.last = r.last != 0;
  send.aux_row = r.aux_row;
  send.page_groups = r.page_groups;
  if (r.last > 1) return BadField("last", r.last, "0 or 1");
  if (absl::Status s = CheckCounts(r.groups, r.state_rows); !s.ok()) return s;
  if (absl::Status s = ReadPages(reader, r.groups, &send.pages); !s.ok()) return s;
  send.state_rows = reader->List<uint32_t>(r.state_rows);
  if (absl::Status s = reader->Finish(); !s.ok()) return s;
  if (absl::Status s = CheckSlot(send.slot, slots); !s.ok()) return s;
  return send;
}

absl::StatusOr<Command> DecodeAbort(Reader* reader, uint32_t slots) {
  auto r = reader->Get<AbortRecord>();
  if (r.text_bytes > kAbortTextMax) {
    return BadField("text bytes", r.text_bytes, absl::StrCat("at most ", kAbortTextMax));
  }
  Abort abort{{r.slot, r.generation}, reader->Text(r.text_bytes)};
  if (absl::Status s = reader->Finish(); !s.ok()) return s;
  if (absl::Status s = CheckSlot(abort.slot, slots); !s.ok()) return s;
  return abort;
}

absl::StatusOr<Command> DecodeClose(Reader* reader, uint32_t slots) {
  auto r = reader->Get<CloseRecord>();
  if (absl::Status s = reader->Finish(); !s.ok()) return s;
  Close close{{r.slot, r.generation}};
  if (absl::Status s = CheckSlot(close.slot, slots); !s.ok()) return s;
  return close;
}

absl::StatusOr<Command> DecodeWatchPeer(Reader* reader, uint32_t peers) {
  auto r = reader->Get<WatchPeerRecord>();
  if (absl::Status s = CheckServerBytes(r.server_bytes); !s.ok()) return s;
  WatchPeer watch{{r.peer, r.generation}, reader->Text(r.server_bytes)};
  if (absl::Status s = reader->Finish(); !s.ok()) return s;
  if (absl::Status s = CheckPeer(watch.peer, peers); !s.ok()) return s;
  return watch;
}

absl::StatusOr<Command> DecodeForgetPeer(Reader* reader, uint32_t peers) {
  auto r = reader->Get<ForgetPeerRecord>();
  if (absl::Status s = reader->Finish(); !s.ok()) return s;
  ForgetPeer forget{{r.peer, r.generation}};
  if (absl::Status s = CheckPeer(forget.peer, peers); !s.ok()) return s;
  return forget;
}

}  // namespace

absl::StatusOr<Command> DecodeCommand(EntryKind kind, absl::Span<const std::byte> body,
                                      TableSizes sizes) {
  Reader reader(body);
  const uint32_t slots = sizes.slots;
  switch (kind) {
    case EntryKind::kOpenSend:
      return DecodeOpenSend(&reader, slots);
    case EntryKind::kOpenReceive:
      return DecodeOpenReceive(&reader, slots);
    case EntryKind::kSend:
      return DecodeSend(&reader, slots);
    case EntryKind::kAbort:
      return DecodeAbort(&reader, slots);
    case EntryKind::kClose:
      return DecodeClose(&reader, slots);
    case EntryKind::kWatchPeer:
      return DecodeWatchPeer(&reader, sizes.peers);
    case EntryKind::kProvide:
      return DecodeProvide(&reader, slots);
    case EntryKind::kForgetPeer:
      return DecodeForgetPeer(&reader, sizes.peers);
    case EntryKind::kWrap:
      break;
  }
  return Error(Reason::kBadMessage,
               absl::StrCat("its kind ", static_cast<uint32_t>(kind), " is unknown"));
}

}  // namespace baton::shm_abi

#include <algorithm>
#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/reason.h"
#include "common/shm_abi/command_codec.h"
#include "common/shm_abi/command_records.h"

namespace baton::shm_abi {
namespace {

// Appends to memory whose size EncodedBytes has promised.
class Writer {
 public:
  explicit Writer(std::byte* at) : at_(at) {}
  template <typename T>
  void Put(const T& value) {
    Bytes(&value, sizeof(value));
  }
  void Bytes(const void* from, size_t bytes) {
    if (bytes > 0) memcpy(at_, from, bytes);
    at_ += bytes;
  }
  void Lists(PageLists lists, absl::Span<const uint32_t> rows) {
    for (const auto& list : lists) Put(static_cast<uint32_t>(list.size()));
    for (const auto& list : lists) Bytes(list.data(), list.size() * sizeof(int32_t));
    Bytes(rows.data(), rows.size() * sizeof(uint32_t));
  }

 private:
  std::byte* at_;
};

uint64_t ListBytes(PageLists lists, absl::Span<const uint32_t> rows) {
  uint64_t bytes = (lists.size() + rows.size()) * sizeof(uint32_t);
  for (const auto& list : lists) bytes += list.size() * sizeof(int32_t);
  return bytes;
}

absl::Status CheckLists(PageLists lists, absl::Span<const uint32_t> rows) {
  if (lists.size() > kPageGroupsMax) {
    return Error(Reason::kTooLarge, absl::StrCat(lists.size(), " page groups: at most ",
                                                 kPageGroupsMax, " fit in one call"));
  }
  uint64_t pages = 0;
  for (const auto& list : lists) pages += list.size();
  if (pages > kPagesMax) {
    return Error(Reason::kTooLarge, absl::StrCat(pages, " pages: at most ", kPagesMax,
                                                 " fit in one call; send smaller chunks"));
  }
  if (rows.size() > kStateRowsMax) {
    return Error(Reason::kTooLarge, absl::StrCat(rows.size(), " state rows: at most ",
                                                 kStateRowsMax, " fit in one call"));
  }
  return absl::OkStatus();
}

absl::string_view Cut(absl::string_view why) { return why.substr(0, kAbortTextMax); }

// The owning lists of a decoded command, as the views that Encode takes.
std::vector<absl::Span<const int32_t>> Spans(const std::vector<std::vector<int32_t>>& lists) {
  return {lists.begin(), lists.end()};
}

template <typename T>
std::string Encoded(const T& command) {
  std::string out(EncodedBytes(command), '\0');
  Encode(command, reinterpret_cast<std::byte*>(out.data()));
  return out;
}

}  // namespace

absl::Status CheckLimits(const OpenReceiveView& command) {
  if (command.prefill_server.size() > kServerNameMax) {
    return Error(Reason::kTooLarge, absl::StrCat("a server name of ", command.prefill_server.size(),
                                                 " bytes: at most ", kServerNameMax));
  }
  return CheckLists(command.pages, command.state_rows);
}

absl::Status CheckLimits(const ProvideView& command) {
  return CheckLists(command.pages, command.state_rows);
}

absl::Status CheckLimits(const SendView& command) {
  return CheckLists(command.pages, command.state_rows);
}

uint64_t EncodedBytes(const OpenSend&) { return sizeof(OpenSendRecord); }
uint64_t EncodedBytes(const OpenReceiveView& c) {
  return sizeof(OpenReceiveRecord) + ListBytes(c.pages, c.state_rows) + c.prefill_server.size();
}
uint64_t EncodedBytes(const ProvideView& c) {
  return sizeof(ProvideRecord) + ListBytes(c.pages, c.state_rows);
}
uint64_t EncodedBytes(const SendView& c) {
  return sizeof(SendRecord) + ListBytes(c.pages, c.state_rows);
}
uint64_t EncodedBytes(const AbortView& c) { return sizeof(AbortRecord) + Cut(c.why).size(); }
uint64_t EncodedBytes(const Close&) { return sizeof(CloseRecord); }
uint64_t EncodedBytes(const WatchPeerView& c) { return sizeof(WatchPeerRecord) + c.server.size(); }
uint64_t EncodedBytes(const ForgetPeer&) { return sizeof(ForgetPeerRecord); }

void Encode(const OpenSend& c, std::byte* out) {
  Writer(out).Put(OpenSendRecord{c.slot.slot, c.slot.generation, c.room.id, c.room.nonce,
                                 c.total_tokens.value_or(0), c.time_left_ms,
                                 c.total_tokens.has_value()});
}

void Encode(const OpenReceiveView& c, std::byte* out) {
  const OpenReceive& h = c.head;
  OpenReceiveRecord record = {};
  record.slot = h.slot.slot;
  record.generation = h.slot.generation;
  record.room_id = h.room.id;
  record.room_nonce = h.room.nonce;
  record.total_tokens = h.total_tokens;
  record.prefix_tokens = h.prefix_tokens;
  record.time_left_ms = h.time_left_ms;
  record.aux_row = h.aux_row;
  record.prefill_dp = h.prefill_dp.value_or(0);
  record.prefill_dp_known = h.prefill_dp.has_value();
  record.tp_holder = h.tp_holder;
  record.cp_holder = h.cp_holder;
  record.groups = static_cast<uint8_t>(c.pages.size());
  record.state_rows = static_cast<uint16_t>(c.state_rows.size());
  record.server_bytes = static_cast<uint16_t>(c.prefill_server.size());
  record.announced = h.announced;
  Writer writer(out);
  writer.Put(record);
  writer.Lists(c.pages, c.state_rows);
  writer.Bytes(c.prefill_server.data(), c.prefill_server.size());
}

void Encode(const ProvideView& c, std::byte* out) {
  const Provide& h = c.head;
  Writer writer(out);
  writer.Put(ProvideRecord{h.slot.slot, h.slot.generation, h.total_tokens, h.prefix_tokens,
                           h.aux_row, static_cast<uint8_t>(c.pages.size()), 0,
                           static_cast<uint16_t>(c.state_rows.size())});
  writer.Lists(c.pages, c.state_rows);
}

void Encode(const SendView& c, std::byte* out) {
  const Send& h = c.head;
  Writer writer(out);
  writer.Put(SendRecord{h.slot.slot, h.slot.generation, h.token_begin, h.token_end, h.layer_begin,
                        h.layer_end, h.aux_row, h.last, static_cast<uint8_t>(c.pages.size()),
                        static_cast<uint16_t>(c.state_rows.size()), h.page_groups, 0, 0});
  writer.Lists(c.pages, c.state_rows);
}

void Encode(const AbortView& c, std::byte* out) {
  absl::string_view why = Cut(c.why);
  Writer writer(out);
  writer.Put(AbortRecord{c.slot.slot, c.slot.generation, static_cast<uint32_t>(why.size()), 0});
  writer.Bytes(why.data(), why.size());
}

void Encode(const Close& c, std::byte* out) {
  Writer(out).Put(CloseRecord{c.slot.slot, c.slot.generation});
}

void Encode(const WatchPeerView& c, std::byte* out) {
  Writer writer(out);
  writer.Put(
      WatchPeerRecord{c.peer.peer, c.peer.generation, static_cast<uint32_t>(c.server.size()), 0});
  writer.Bytes(c.server.data(), c.server.size());
}

void Encode(const ForgetPeer& c, std::byte* out) {
  Writer(out).Put(ForgetPeerRecord{c.peer.peer, c.peer.generation});
}

// The order of Command's alternatives is the order of the numbers.
EntryKind KindOf(const Command& command) {
  static_assert(std::variant_size_v<Command> == 8);
  return static_cast<EntryKind>(command.index() + 1);
}

std::string EncodeCommand(const Command& command) {
  if (auto* open = std::get_if<OpenReceive>(&command)) {
    return Encoded(
        OpenReceiveView{*open, open->prefill_server, Spans(open->pages), open->state_rows});
  }
  if (auto* provide = std::get_if<Provide>(&command)) {
    return Encoded(ProvideView{*provide, Spans(provide->pages), provide->state_rows});
  }
  if (auto* send = std::get_if<Send>(&command)) {
    return Encoded(SendView{*send, Spans(send->pages), send->state_rows});
  }
  if (auto* abort = std::get_if<Abort>(&command))
    return Encoded(AbortView{abort->slot, abort->why});
  if (auto* open = std::get_if<OpenSend>(&command)) return Encoded(*open);
  if (auto* watch = std::get_if<WatchPeer>(&command)) {
    return Encoded(WatchPeerView{watch->peer, watch->server});
  }
  if (auto* forget = std::get_if<ForgetPeer>(&command)) return Encoded(*forget);
  return Encoded(std::get<Close>(command));
}

}  // namespace baton::shm_abi

#include "common/shm_abi/table_memory.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <string>

#include "common/reason.h"

namespace baton::shm_abi {
namespace {

// At most `bytes` of `text`, without half of a UTF-8 character at the end.
absl::string_view Cut(absl::string_view text, size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<uint8_t>(text[bytes]) & 0xc0) == 0x80) --bytes;
  return text.substr(0, bytes);
}

}  // namespace

void InitTable(std::byte* memory, uint64_t epoch, uint32_t slots) {
  TableHeader* header = new (memory) TableHeader;
  header->epoch = epoch;
  header->slots = slots;
  TableSlot* first = SlotsOf(memory);
  for (uint32_t i = 0; i < slots; ++i) new (first + i) TableSlot;
}

void StoreCause(const absl::Status& cause, TableSlot* slot) {
  std::optional<RankRef> rank = RankOf(cause);
  slot->reason.store(static_cast<uint32_t>(ReasonOf(cause)), std::memory_order_relaxed);
  slot->rank_known = rank.has_value();
  RankRef named = rank.value_or(RankRef());
  slot->rank_dp = named.coord.dp;
  slot->rank_pp = named.coord.pp;
  slot->rank_cp = named.coord.cp;
  slot->rank_tp = named.coord.tp;
  // The name may take a third, so that a long one leaves room to say what happened.
  absl::string_view server = Cut(named.server, kCauseTextMax / 3);
  absl::string_view message = Cut(cause.message(), kCauseTextMax - server.size() - 2);
  char text[kCauseTextMax] = {};
  memcpy(text, server.data(), server.size());
  memcpy(text + server.size() + 1, message.data(), message.size());
  memcpy(slot->text, text, kCauseTextMax);
}

absl::Status LoadCause(const TableSlot& slot) {
  char text[kCauseTextMax];
  memcpy(text, slot.text, kCauseTextMax);
  size_t server_bytes = strnlen(text, kCauseTextMax - 1);
  RankRef rank{std::string(text, server_bytes),
               {slot.rank_dp, slot.rank_pp, slot.rank_cp, slot.rank_tp}};
  const char* message = text + server_bytes + 1;
  size_t message_bytes = strnlen(message, kCauseTextMax - server_bytes - 1);
  Reason reason = ReasonFromNumber(slot.reason.load(std::memory_order_relaxed));
  if (slot.rank_known == 0) return Error(reason, absl::string_view(message, message_bytes));
  return Error(reason, absl::string_view(message, message_bytes), rank);
}

}  // namespace baton::shm_abi

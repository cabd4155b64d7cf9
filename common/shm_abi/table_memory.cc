#include "common/shm_abi/table_memory.h"

#include <new>
#include <optional>

#include "common/reason.h"
#include "common/shm_abi/cause_text.h"

namespace baton::shm_abi {
void InitTable(std::byte* memory, uint64_t epoch, uint32_t slots, uint32_t peers) {
  TableHeader* header = new (memory) TableHeader;
  header->epoch = epoch;
  header->slots = slots;
  header->peers = peers;
  TableSlot* first = SlotsOf(memory);
  for (uint32_t i = 0; i < slots; ++i) new (first + i) TableSlot;
  PeerRow* rows = PeersOf(memory, slots);
  for (uint32_t i = 0; i < peers; ++i) new (rows + i) PeerRow;
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
  PutCauseText(named.server, cause.message(), slot->text, kCauseTextMax);
}

absl::Status LoadCause(const TableSlot& slot) {
  const CauseText text = TakeCauseText(slot.text, kCauseTextMax);
  RankRef rank{text.server, {slot.rank_dp, slot.rank_pp, slot.rank_cp, slot.rank_tp}};
  Reason reason = ReasonFromNumber(slot.reason.load(std::memory_order_relaxed));
  if (slot.rank_known == 0) return Error(reason, text.message);
  return Error(reason, text.message, rank);
}

}  // namespace baton::shm_abi

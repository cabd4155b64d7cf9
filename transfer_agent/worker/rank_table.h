// Writes to an engine's completion table that both sides of a worker make alike.
#ifndef BATON_TRANSFER_AGENT_WORKER_RANK_TABLE_H_
#define BATON_TRANSFER_AGENT_WORKER_RANK_TABLE_H_

#include "absl/status/status.h"
#include "common/shm_abi/commands.h"
#include "common/shm_abi/table.h"
#include "transfer_agent/worker/hosted_rank.h"

namespace baton::worker {

// A request that never became a room: failed and released at once.
inline void PublishRefusal(HostedRank& rank, const shm_abi::SlotRef& slot,
                           const absl::Status& cause) {
  attach::TableWriter& table = *rank.attached->table;
  table.SetCause(slot.slot, cause);
  table.Publish(slot.slot, {slot.generation, shm_abi::RoomState::kFailed, true});
}

}  // namespace baton::worker

#endif  // BATON_TRANSFER_AGENT_WORKER_RANK_TABLE_H_

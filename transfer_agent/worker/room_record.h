// A room as operators see it afterwards.
#ifndef BATON_TRANSFER_AGENT_WORKER_ROOM_RECORD_H_
#define BATON_TRANSFER_AGENT_WORKER_ROOM_RECORD_H_

#include "transfer_agent/room/source_room.h"
#include "transfer_agent/room/target_room.h"
#include "transfer_agent/worker/hosted_rank.h"
#include "transfer_agent/worker/room_history.h"
#include "transfer_agent/worker/room_index.h"

namespace baton::worker {

// Of a room that runs, or has failed: with its legs, at most RoomHistory::kLegsMax of them.
RoomRecord RecordOf(const RoomEntry<room::SourceRoom>& entry, const HostedRank& rank);
RoomRecord RecordOf(const RoomEntry<room::TargetRoom>& entry, const HostedRank& rank);

}  // namespace baton::worker

#endif  // BATON_TRANSFER_AGENT_WORKER_ROOM_RECORD_H_

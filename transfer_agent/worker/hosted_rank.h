// A rank of this agent and the ranks of others, as a worker sees them.
#ifndef BATON_TRANSFER_AGENT_WORKER_HOSTED_RANK_H_
#define BATON_TRANSFER_AGENT_WORKER_HOSTED_RANK_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/ids.h"
#include "planner/layout.h"
#include "transfer_agent/attach/attached_rank.h"
#include "transfer_agent/transport/transport.h"

namespace baton::worker {

// One attached engine rank. Lives until its engine is gone and every room of it is released.
struct HostedRank {
  std::unique_ptr<attach::AttachedRank> attached;
  Incarnation incarnation;
  // Registered and leased: takes new rooms.
  bool accepting = false;
  // Attached, and not heard of by the registry yet: rooms may be opened and wait.
  bool registering = true;
  // Its engine is gone.
  bool leaving = false;
  // What the registry says instead of `accepting`.
  absl::Status not_accepting;
  // One for each transport of the worker, in its order.
  std::vector<transport::ExportedMemory> memory;
  // Beside it: OK, or why the transport cannot move the rank's memory.
  std::vector<absl::Status> refused;
  uint32_t rooms = 0;  // open, and held for the engine to open
  // Since it attached.
  uint64_t rooms_done = 0;
  uint64_t rooms_failed = 0;
  uint64_t bytes_ended = 0;  // sent or landed, of rooms that are over

  bool MayOpen() const { return accepting || registering; }
  const RankRef& ref() const { return attached->rank; }
  const RankCoord& coord() const { return attached->rank.coord; }
};

// A rank of another agent, as that agent announced it. Immutable; shared by the workers.
struct RemoteRank {
  RankRef rank;
  Role role = Role::kPrefill;
  Incarnation incarnation;
  transport::PeerId peer;
  Epoch epoch;
  uint32_t worker = 0;
  std::string host_key;
  std::vector<std::string> transports;
  std::vector<std::string> memory_keys;  // beside `transports`
  planner::ServerSpec spec;
  planner::RankLayout layout;
};

}  // namespace baton::worker

#endif  // BATON_TRANSFER_AGENT_WORKER_HOSTED_RANK_H_

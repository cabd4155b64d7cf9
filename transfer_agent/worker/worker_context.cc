#include "transfer_agent/worker/worker_context.h"

#include <array>
#include <string>

#include "absl/strings/str_cat.h"
#include "client/rpc/error_detail.h"
#include "common/log.h"
#include "common/reason.h"
#include "transfer_agent/worker/wire_ids.h"

namespace baton::worker {

void WorkerContext::CountDone(HostedRank* rank, Duration took) {
  ++rooms_done;
  if (rank == nullptr) return;
  ++rank->rooms_done;
  metrics.CountDone(rank->attached->role, took);
}

void WorkerContext::CountFailed(HostedRank* rank, const RoomKey& key, absl::string_view state,
                                uint64_t bytes, Duration took, const absl::Status& cause) {
  constexpr size_t kRemembered = 256;
  ++rooms_failed;
  if (rank != nullptr) ++rank->rooms_failed;
  v1::RoomStatus status;
  ToProto(key, status.mutable_room());
  if (rank != nullptr) {
    ToProto(rank->ref(), status.mutable_rank());
    status.set_role(static_cast<v1::Role>(rank->attached->role));
    metrics.CountFailed(rank->attached->role, ReasonOf(cause));
  }
  status.set_state("failed");
  status.set_bytes(bytes);
  status.set_age_ms(std::chrono::duration_cast<std::chrono::milliseconds>(took).count());
  *status.mutable_cause() = ToDetail(cause);
  failed_rooms.push_back(std::move(status));
  if (failed_rooms.size() > kRemembered) failed_rooms.pop_front();
  LOG(WARNING) << "room " << ToString(key) << " failed on "
               << (rank != nullptr ? ToString(rank->ref()) : "a rank that left") << " while "
               << state << ": " << cause;
}

void WorkerContext::RefreshGauges() {
  uint64_t memory = 0;
  std::array<uint64_t, kRoleCount> rooms = {}, serving = {}, waiting = {};
  for (const auto& [id, rank] : ranks) {
    const size_t role = rank->attached->role == Role::kPrefill ? 0 : 1;
    rooms[role] += OpenRoomsOf(*rank);
    ++(rank->accepting ? serving : waiting)[role];
    for (const attach::MappedRegion& region : rank->attached->regions) memory += region.size();
  }
  for (size_t role = 0; role < kRoleCount; ++role) {
    metrics.roles[role].open_rooms.Set(rooms[role]);
    metrics.roles[role].serving.Set(serving[role]);
    metrics.roles[role].waiting.Set(waiting[role]);
  }
  metrics.memory_bytes.Set(memory);
  metrics.held_offers.Set(held.rooms());
  metrics.held_offer_bytes.Set(held.bytes());
  for (size_t i = 0; i < transports.size() && i < kTransportsMax; ++i) {
    const transport::Counters counters = transports[i]->counters();
    PathMetrics& path = metrics.paths[i];
    path.bytes_sent.Set(counters.bytes_sent);
    path.bytes_landed.Set(counters.bytes_landed);
    path.bytes_copied.Set(counters.bytes_copied);
    path.stale_dropped.Set(counters.stale_dropped);
    path.channels.Set(channels.CountOf(transports[i]));
    uint64_t with = 0;
    for (const auto& [peer, by] : path_transports) with += by == transports[i];
    path.peers.Set(with);
  }
}

void WorkerContext::NotePath(PeerId peer, const transport::Transport& transport,
                             absl::string_view why) {
  path_transports[peer] = &transport;
  const std::string path = absl::StrCat(transport.capabilities().name, " (", why, ")");
  std::string& known = paths[peer];
  if (known == path) return;
  known = path;
  auto info = peers.find(peer);
  LOG(INFO) << "peer " << (info == peers.end() ? "?" : info->second.address) << ": pages go by "
            << path;
}

}  // namespace baton::worker

// What operators see of a worker.
#include <map>
#include <string>

#include "client/rpc/error_detail.h"
#include "common/reason.h"
#include "transfer_agent/worker/wire_ids.h"
#include "transfer_agent/worker/worker_core.h"

namespace baton::worker {
namespace {

uint64_t AgeMs(TimePoint opened, TimePoint now) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(now - opened).count();
}

template <typename Entry>
void DescribeRoom(const Entry& entry, const HostedRank* rank, uint64_t bytes, TimePoint now,
                  v1::RoomStatus* out) {
  ToProto(entry.room.key(), out->mutable_room());
  if (rank != nullptr) {
    ToProto(rank->ref(), out->mutable_rank());
    out->set_role(static_cast<v1::Role>(rank->attached->role));
  }
  out->set_state(std::string(Name(entry.room.state())));
  out->set_bytes(bytes);
  out->set_age_ms(AgeMs(entry.opened, now));
  if (!entry.room.cause().ok()) *out->mutable_cause() = ToDetail(entry.room.cause());
}

}  // namespace

std::map<AttachmentId, uint64_t> WorkerCore::BytesOfOpenRooms() {
  std::map<AttachmentId, uint64_t> bytes;
  for (RoomSerial serial : source_.rooms().Serials()) {
    const auto* entry = source_.rooms().Find(serial);
    bytes[entry->rank] += entry->room.bytes_submitted();
  }
  for (RoomSerial serial : target_.rooms().Serials()) {
    const auto* entry = target_.rooms().Find(serial);
    bytes[entry->rank] += entry->room.bytes_landed();
  }
  return bytes;
}

int WorkerCore::AbortRoom(const RoomKey& key, const std::optional<RankRef>& rank,
                          const std::string& why, TimePoint now) {
  HostedRank* only = rank.has_value() ? context_.FindRank(*rank) : nullptr;
  if (rank.has_value() && only == nullptr) return 0;
  const absl::Status cause = Error(Reason::kAborted, why);
  return source_.AbortKey(key, only, cause, now) + target_.AbortKey(key, only, cause, now);
}

void WorkerCore::Describe(v1::AgentStatusResponse* status) {
  const std::map<AttachmentId, uint64_t> running = BytesOfOpenRooms();
  for (const auto& [id, rank] : context_.ranks) {
    v1::HostedRank* hosted = status->add_ranks();
    ToProto(rank->ref(), hosted->mutable_rank());
    hosted->set_role(static_cast<v1::Role>(rank->attached->role));
    hosted->set_incarnation(rank->incarnation.value());
    hosted->set_worker(context_.index);
    hosted->set_registered(rank->accepting);
    if (!rank->accepting) {
      hosted->set_registration_error(std::string(rank->not_accepting.message()));
    }
    hosted->set_rooms(context_.OpenRoomsOf(*rank));
    hosted->set_rooms_done(rank->rooms_done);
    hosted->set_rooms_failed(rank->rooms_failed);
    auto bytes = running.find(id);
    hosted->set_bytes(rank->bytes_ended + (bytes == running.end() ? 0 : bytes->second));
    uint64_t pool_bytes = 0;
    for (const attach::MappedRegion& region : rank->attached->regions) pool_bytes += region.size();
    hosted->set_pool_bytes(pool_bytes);
  }
  for (const auto& [peer, path] : context_.paths) {
    auto info = context_.peers.find(peer);
    if (info == context_.peers.end()) continue;
    v1::PeerStatus* with = status->add_peers();
    with->set_agent_address(info->second.address);
    with->set_epoch(info->second.epoch.value());
    with->set_transport(path);
  }
  for (transport::Transport* transport : context_.transports) {
    const transport::Counters counters = transport->counters();
    status->set_bytes_sent(status->bytes_sent() + counters.bytes_sent);
    status->set_bytes_landed(status->bytes_landed() + counters.bytes_landed);
    status->set_bytes_copied(status->bytes_copied() + counters.bytes_copied);
  }
  status->set_rooms_done(status->rooms_done() + context_.rooms_done);
  status->set_rooms_failed(status->rooms_failed() + context_.rooms_failed);
}

void WorkerCore::DescribeRooms(bool failed_only, uint32_t limit, TimePoint now,
                               v1::ListRoomsResponse* out) {
  auto full = [&] { return static_cast<uint32_t>(out->rooms_size()) >= limit; };
  for (const v1::RoomStatus& failed : context_.failed_rooms) {
    if (full()) return;
    *out->add_rooms() = failed;
  }
  if (failed_only) return;
  for (RoomSerial serial : source_.rooms().Serials()) {
    const auto* entry = source_.rooms().Find(serial);
    if (full()) return;
    if (IsTerminal(entry->room.state())) continue;
    DescribeRoom(*entry, context_.FindRank(entry->rank), entry->room.bytes_submitted(), now,
                 out->add_rooms());
  }
  for (RoomSerial serial : target_.rooms().Serials()) {
    const auto* entry = target_.rooms().Find(serial);
    if (full()) return;
    if (IsTerminal(entry->room.state())) continue;
    DescribeRoom(*entry, context_.FindRank(entry->rank), entry->room.bytes_landed(), now,
                 out->add_rooms());
  }
}

uint32_t WorkerCore::rooms_under_way() {
  uint32_t rooms = 0;
  for (RoomSerial serial : source_.rooms().Serials()) {
    const room::SourceState state = source_.rooms().Find(serial)->room.state();
    if (state != room::SourceState::kHeld && !IsTerminal(state)) ++rooms;
  }
  for (RoomSerial serial : target_.rooms().Serials()) {
    if (!IsTerminal(target_.rooms().Find(serial)->room.state())) ++rooms;
  }
  return rooms;
}

uint32_t WorkerCore::open_rooms() const {
  uint32_t rooms = 0;
  for (const auto& [id, rank] : context_.ranks) rooms += context_.OpenRoomsOf(*rank);
  return rooms;
}

}  // namespace baton::worker

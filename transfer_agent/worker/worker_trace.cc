// What operators see of a room, step by step, and of a worker's channels.
#include <algorithm>
#include <string>
#include <vector>

#include "client/rpc/error_detail.h"
#include "transfer_agent/worker/room_record.h"
#include "transfer_agent/worker/wire_ids.h"
#include "transfer_agent/worker/worker_core.h"

namespace baton::worker {
namespace {

uint64_t Microseconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
}

void DescribeLegs(const RoomRecord& record, v1::RoomTrace* out) {
  out->set_leg_count(record.leg_count);
  for (const LegRecord& leg : record.legs) {
    v1::RoomLeg* with = out->add_legs();
    ToProto(leg.rank, with->mutable_rank());
    with->set_transport(std::string(leg.transport));
    with->set_bytes(leg.bytes);
    with->set_bytes_expected(leg.bytes_expected);
    with->set_sent(leg.sent);
    with->set_done(leg.done);
  }
}

struct Reached {
  TimePoint at;
  room::Stage stage;
};

// In the order of time: an offer may come before its room is opened, or after.
std::vector<Reached> InOrder(const room::StageTimes& times) {
  std::vector<Reached> reached;
  for (size_t i = 0; i < room::kStageCount; ++i) {
    const auto stage = static_cast<room::Stage>(i);
    if (auto at = times.At(stage); at.has_value()) reached.push_back({*at, stage});
  }
  std::stable_sort(reached.begin(), reached.end(),
                   [](const Reached& a, const Reached& b) { return a.at < b.at; });
  return reached;
}

void FillTrace(const RoomRecord& record, bool ended, TimePoint now, uint64_t now_unix_us,
               v1::RoomTrace* out) {
  v1::RoomStatus* status = out->mutable_status();
  ToProto(record.key, status->mutable_room());
  ToProto(record.rank, status->mutable_rank());
  status->set_role(static_cast<v1::Role>(record.role));
  status->set_state(std::string(record.state));
  status->set_bytes(record.bytes);
  if (!record.cause.ok()) *status->mutable_cause() = ToDetail(record.cause);
  DescribeLegs(record, out);
  out->set_ended(ended);
  const std::vector<Reached> reached = InOrder(record.stages);
  if (reached.empty()) return;
  const TimePoint began = reached.front().at;
  const TimePoint until = ended ? reached.back().at : now;
  status->set_age_ms(Microseconds(until - began) / 1000);
  out->set_began_unix_us(now_unix_us - Microseconds(now - began));
  for (const Reached& step : reached) {
    v1::RoomStage* stage = out->add_stages();
    stage->set_name(std::string(Name(step.stage)));
    stage->set_offset_us(Microseconds(step.at - began));
  }
}

}  // namespace

void WorkerCore::TraceRooms(const TraceQuery& query, TimePoint now, uint64_t now_unix_us,
                            v1::TraceRoomResponse* out) {
  auto wanted = [&](const RoomKey& key) {
    if (static_cast<uint32_t>(out->rooms_size()) >= query.limit) return false;
    return !query.key.has_value() || key == *query.key ||
           (query.any_nonce && key.id == query.key->id);
  };
  context_.history.ForEach([&](const RoomRecord& record) {
    if (wanted(record.key)) FillTrace(record, true, now, now_unix_us, out->add_rooms());
  });
  auto add_open = [&](auto& rooms) {
    for (RoomSerial serial : rooms.Serials()) {
      const auto* entry = rooms.Find(serial);
      const HostedRank* rank = context_.FindRank(entry->rank);
      if (rank == nullptr || !wanted(entry->room.key())) continue;
      FillTrace(RecordOf(*entry, *rank), false, now, now_unix_us, out->add_rooms());
    }
  };
  add_open(source_.rooms());
  add_open(target_.rooms());
}

void WorkerCore::DescribeChannels(v1::DumpResponse* out) const {
  context_.channels.ForEach([&](const transport::Transport& transport, PeerId peer,
                                uint32_t peer_worker, ChannelState state) {
    v1::ChannelStatus* channel = out->add_channels();
    channel->set_worker(context_.index);
    channel->set_transport(std::string(transport.capabilities().name));
    auto info = context_.peers.find(peer);
    channel->set_agent_address(info == context_.peers.end() ? "?" : info->second.address);
    channel->set_peer_worker(peer_worker);
    channel->set_state(std::string(Name(state)));
  });
}

}  // namespace baton::worker

// A simulated agent and the bootstrap service: registration, watch, room calls.
#include <algorithm>
#include <utility>

#include "common/reason.h"
#include "planner/layout_proto.h"
#include "tests/simulation/agent.h"

namespace baton::sim {
namespace {

constexpr Duration kRpcDeadline = 2 * kSecond;

}  // namespace

void Agent::OnRegistered(const RankRef& rank, Incarnation incarnation) {
  world_.Trace(ToString(rank), " is registered, incarnation ", incarnation.value());
  PostUrgent([this, rank, incarnation] { core_->OnRegistered(rank, incarnation, world_.now()); });
}

void Agent::OnRegistrationFailing(const RankRef& rank, const absl::Status& cause, bool decides) {
  world_.Trace(ToString(rank), " cannot register: ", cause.message());
  if (!decides) return;
  PostUrgent([this, rank, cause] { core_->OnNotAccepting(rank, cause); });
}

void Agent::OnLeaseLost(const RankRef& rank) {
  world_.Trace(ToString(rank), " has lost its lease");
}

void Agent::GiveBack(std::optional<uint64_t> lease) {
  if (!lease.has_value()) return;
  v1::DeregisterRequest request;
  request.add_lease_ids(*lease);
  bootstrap_->Call<v1::DeregisterResponse>(process_, request, kRpcDeadline,
                                           [](const absl::StatusOr<v1::DeregisterResponse>&) {});
}

void Agent::StepRegistrar() {
  RegistrarCore::Calls calls = registrar_.Step(world_.now());
  for (auto& [key, request] : calls.servers) {
    bootstrap_->Call<v1::RegisterServerResponse>(
        process_, std::move(request), kRpcDeadline,
        [this, key = key](const absl::StatusOr<v1::RegisterServerResponse>& answer) {
          registrar_.OnServer(key, answer, world_.now());
          StepRegistrar();
        });
  }
  for (auto& [ticket, request] : calls.ranks) {
    bootstrap_->Call<v1::RegisterRankResponse>(
        process_, std::move(request), kRpcDeadline,
        [this, ticket = ticket](const absl::StatusOr<v1::RegisterRankResponse>& answer) {
          GiveBack(registrar_.OnRank(ticket, answer, world_.now()));
          StepRegistrar();
        });
  }
  if (calls.reset_stream) EndKeepAlives();
  if (calls.keep_alive.has_value()) SendKeepAlive(*std::move(calls.keep_alive));
  const TimePoint next = std::max(registrar_.next(world_.now()), world_.now() + kMilli);
  if (next >= registrar_at_ && registrar_at_ > world_.now()) return;
  registrar_at_ = next;
  world_.RunAfter(process_, next - world_.now(), [this, next] {
    if (registrar_at_ == next) StepRegistrar();
  });
}

void Agent::SendKeepAlive(v1::KeepAliveRequest request) {
  // The service remembers a stream's latest list; here the agent says it each time.
  if (request.lease_ids().empty()) {
    *request.mutable_lease_ids() = listed_;
  } else {
    listed_ = request.lease_ids();
  }
  bootstrap_->Call<v1::KeepAliveResponse>(process_, std::move(request), 10 * kSecond,
                                          [this, stream = stream_, n = keep_alives_sent_++](
                                              const absl::StatusOr<v1::KeepAliveResponse>& answer) {
                                            if (stream != stream_) return;
                                            if (answer.ok()) {
                                              OnKeepAlive(n, *answer);
                                            } else {
                                              EndKeepAlives();
                                              registrar_.OnStreamEnd(world_.now());
                                            }
                                            StepRegistrar();
                                          });
}

// A stream keeps its answers in order; these calls do not.
void Agent::OnKeepAlive(uint64_t n, const v1::KeepAliveResponse& answer) {
  early_answers_[n] = answer;
  for (auto it = early_answers_.begin();
       it != early_answers_.end() && it->first == keep_alives_heard_;
       it = early_answers_.erase(it)) {
    ++keep_alives_heard_;
    registrar_.OnKeepAlive(it->second, world_.now());
  }
}

void Agent::EndKeepAlives() {
  ++stream_;
  early_answers_.clear();
  keep_alives_sent_ = keep_alives_heard_ = 0;
}

void Agent::BeginWatch() {
  Wire::End end;
  end.process = process_;
  end.on_message = [this](const Payload& payload) { OnWatch(payload); };
  end.on_closed = [this](const absl::Status&) {
    watch_ = nullptr;
    world_.RunAfter(process_, watch_backoff_.Next(), [this] { BeginWatch(); });
  };
  watch_ = network_->Connect(kBootstrapAddress, process_->host, std::move(end));
  watch_->Send(0, std::make_shared<const v1::WatchRequest>(directory_.BeginWatch()));
}

void Agent::OnWatch(const Payload& payload) {
  watch_backoff_.Reset();
  v1::WatchResponse message;
  message.ParseFromString(*static_cast<const std::string*>(payload.get()));
  const DirectoryCore::Changes changes = directory_.Apply(message);
  for (const std::string& name : changes.upserted) OnServer(*directory_.Find(name));
  for (const std::string& name : changes.removed) {
    PostBulk([this, name] { core_->OnServerRemoved(name); });
  }
  if (changes.new_store_epoch) {
    rooms_.ForgetSent();
    StepRooms();
  }
  if (!changes.compacted && !changes.dropped.has_value()) return;
  const WirePtr old = std::exchange(watch_, nullptr);
  old->Close(0, absl::CancelledError("begun anew"));
  BeginWatch();
}

void Agent::OnServer(const v1::ServerRecord& server) {
  auto view = std::make_shared<worker::ServerView>();
  view->name = server.name();
  view->incarnation = Incarnation(server.incarnation());
  view->role = static_cast<Role>(server.role());
  view->draining = server.state() == v1::SERVER_STATE_DRAINING;
  view->spec = *planner::FromProto(server.spec());
  for (const v1::RankRecord& rank : server.ranks()) {
    const v1::RankCoord& c = rank.coord();
    view->addresses[{c.dp(), c.pp(), c.cp(), c.tp()}] = rank.agent_address();
    view->epochs[{c.dp(), c.pp(), c.cp(), c.tp()}] = Epoch(rank.epoch());
  }
  std::shared_ptr<const worker::ServerView> shared = view;
  PostBulk([this, shared] { core_->OnServer(shared, world_.now()); });
}

void Agent::LookupRoom(uint32_t, uint64_t token, const std::string& server, const RoomKey& room,
                       std::chrono::milliseconds wait) {
  rooms_.Lookup(server, room, world_.now() + wait, [this, token](absl::StatusOr<uint32_t> dp) {
    PostBulk([this, token, dp] { core_->OnLookup(token, dp, world_.now()); });
  });
  StepRooms();
}

void Agent::BindRoom(const std::string& server, const RoomKey& room, uint32_t dp,
                     std::chrono::milliseconds ttl) {
  rooms_.Bind(server, room, dp, world_.now() + ttl);
  StepRooms();
}

void Agent::RoomOver(const std::string& server, const RoomKey& room) {
  rooms_.Over(server, room, world_.now());
  StepRooms();
}

// A stream of one room: what the real one does for each of its own.
void Agent::Follow(const v1::RoomBinding& room) {
  v1::LookupRoomRequest request;
  *request.add_rooms() = room;
  request.set_wait_ms(room.ttl_ms());
  bootstrap_->Lookup(process_, request, kRpcDeadline + std::chrono::milliseconds(room.ttl_ms()),
                     [this](const absl::StatusOr<v1::LookupRoomResponse>& answer) {
                       v1::FollowRoomsResponse found;
                       if (answer.ok()) *found.mutable_bindings() = answer->bindings();
                       if (answer.ok()) rooms_.OnFollowed(found);
                       if (!answer.ok()) rooms_.OnStreamEnd(world_.now());
                       StepRooms();
                     });
}

void Agent::StepRooms() {
  RoomCalls::Calls calls = rooms_.Step(world_.now());
  for (const v1::FollowRoomsRequest& request : calls.follow) {
    for (const v1::RoomBinding& room : request.rooms()) Follow(room);
  }
  if (calls.bind.has_value()) {
    bootstrap_->Call<v1::BindRoomResponse>(
        process_, *std::move(calls.bind), kRpcDeadline,
        [this](const absl::StatusOr<v1::BindRoomResponse>& answer) {
          rooms_.OnBind(answer, world_.now());
          StepRooms();
        });
  }
  const TimePoint next = rooms_.next(world_.now());
  if (next == TimePoint::max() || (next >= rooms_at_ && rooms_at_ > world_.now())) return;
  rooms_at_ = std::max(next, world_.now() + kMilli);
  world_.RunAfter(process_, rooms_at_ - world_.now(), [this, at = rooms_at_] {
    if (rooms_at_ == at) StepRooms();
  });
}

}  // namespace baton::sim

#include "transfer_agent/service/agent_rpcs.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/rpc/status.h"
#include "common/reason.h"
#include "common/version.h"
#include "transfer_agent/service/ask_workers.h"
#include "transfer_agent/worker/wire_ids.h"

namespace baton::agent {
namespace {

using worker::WorkerCore;

constexpr auto kWorkerTimeout = std::chrono::milliseconds(2000);
constexpr uint32_t kRoomsDefault = 1000;
constexpr uint32_t kRoomsMax = 100000;

grpc::Status NoAnswer() {
  return ToGrpc(Error(Reason::kNotReady, "a worker of the agent did not answer within 2 s"));
}

grpc::Status NotBound() { return ToGrpc(Error(Reason::kNotReady, "the agent is starting")); }

uint32_t Limit(uint32_t asked) { return asked == 0 ? kRoomsDefault : std::min(asked, kRoomsMax); }

uint64_t UnixMicros() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// Runs `task` on every worker with a message that it fills; null when one did not answer, which
// may then still write to the message.
template <typename Message, typename Task>
std::shared_ptr<Message> Gather(Agent* agent, Task task) {
  auto gathered = std::make_shared<Message>();
  const bool answered = AskWorkers(
      agent->workers(),
      [gathered, task](WorkerCore& core, TimePoint now) { task(core, now, gathered.get()); },
      kWorkerTimeout);
  return answered ? gathered : nullptr;
}

bool FillStatus(Agent* agent, v1::AgentStatusResponse* response) {
  auto gathered = Gather<v1::AgentStatusResponse>(
      agent, [](WorkerCore& core, TimePoint, v1::AgentStatusResponse* out) { core.Describe(out); });
  if (gathered == nullptr) return false;
  // Each worker names the paths it uses; a peer is listed once.
  std::map<std::pair<std::string, uint64_t>, std::string> paths;
  for (const v1::PeerStatus& peer : gathered->peers()) {
    paths[{peer.agent_address(), peer.epoch()}] = peer.transport();
  }
  gathered->clear_peers();
  response->Swap(gathered.get());
  response->set_version(kVersionText);
  response->set_epoch(agent->epoch().value());
  response->set_address(agent->address());
  response->set_workers(agent->workers().size());
  response->set_draining(agent->draining());
  for (std::string& warning : agent->Warnings()) response->add_warnings(std::move(warning));
  for (const v1::TransportStatus& transport : agent->transports()) {
    *response->add_transports() = transport;
  }
  for (const control::PeerLinkStatus& link : agent->Peers()) {
    v1::PeerStatus* peer = response->add_peers();
    peer->set_agent_address(link.peer.address);
    peer->set_epoch(link.peer.epoch.value());
    peer->set_state(link.up ? "up" : "down");
    peer->set_transport(paths[{link.peer.address, link.peer.epoch.value()}]);
  }
  return true;
}

std::shared_ptr<v1::TraceRoomResponse> Trace(Agent* agent, const WorkerCore::TraceQuery& query) {
  return Gather<v1::TraceRoomResponse>(
      agent, [query](WorkerCore& core, TimePoint now, v1::TraceRoomResponse* out) {
        core.TraceRooms(query, now, UnixMicros(), out);
      });
}

}  // namespace

absl::Status AgentRpcs::MayChange(absl::string_view what) const {
  if (rights_ == Rights::kAll) return absl::OkStatus();
  return Error(Reason::kPeerRefused,
               absl::StrCat(what,
                            " is done over the agent's own socket only: run batonctl in its "
                            "pod, without --agent"));
}

grpc::Status AgentRpcs::Status(grpc::ServerContext*, const v1::AgentStatusRequest*,
                               v1::AgentStatusResponse* response) {
  if (agent() == nullptr) return NotBound();
  return FillStatus(agent(), response) ? grpc::Status::OK : NoAnswer();
}

grpc::Status AgentRpcs::ListRooms(grpc::ServerContext*, const v1::ListRoomsRequest* request,
                                  v1::ListRoomsResponse* response) {
  if (agent() == nullptr) return NotBound();
  const bool failed_only = request->failed_only();
  const uint32_t limit = Limit(request->limit());
  auto gathered = Gather<v1::ListRoomsResponse>(
      agent(), [failed_only, limit](WorkerCore& core, TimePoint now, v1::ListRoomsResponse* out) {
        core.DescribeRooms(failed_only, limit, now, out);
      });
  if (gathered == nullptr) return NoAnswer();
  response->Swap(gathered.get());
  return grpc::Status::OK;
}

grpc::Status AgentRpcs::AbortRoom(grpc::ServerContext*, const v1::AbortRoomRequest* request,
                                  v1::AbortRoomResponse* response) {
  if (agent() == nullptr) return NotBound();
  if (absl::Status status = MayChange("room abort"); !status.ok()) return ToGrpc(status);
  const RoomKey key = worker::FromProto(request->room());
  std::optional<RankRef> rank;
  if (request->has_rank()) rank = worker::FromProto(request->rank());
  const std::string why = request->why().empty() ? "asked for by an operator" : request->why();
  auto gathered = Gather<v1::AbortRoomResponse>(
      agent(), [key, rank, why](WorkerCore& core, TimePoint now, v1::AbortRoomResponse* out) {
        out->set_aborted(out->aborted() + core.AbortRoom(key, rank, why, now));
      });
  if (gathered == nullptr) return NoAnswer();
  response->Swap(gathered.get());
  return grpc::Status::OK;
}

grpc::Status AgentRpcs::Drain(grpc::ServerContext*, const v1::AgentDrainRequest*,
                              v1::AgentDrainResponse* response) {
  if (agent() == nullptr) return NotBound();
  if (absl::Status status = MayChange("agent drain"); !status.ok()) return ToGrpc(status);
  agent()->BeginDrain();
  auto gathered = Gather<v1::AgentDrainResponse>(
      agent(), [](WorkerCore& core, TimePoint, v1::AgentDrainResponse* out) {
        out->set_rooms(out->rooms() + core.rooms_under_way());
      });
  if (gathered == nullptr) return NoAnswer();
  response->Swap(gathered.get());
  return grpc::Status::OK;
}

grpc::Status AgentRpcs::TraceRoom(grpc::ServerContext*, const v1::TraceRoomRequest* request,
                                  v1::TraceRoomResponse* response) {
  if (agent() == nullptr) return NotBound();
  auto gathered = Trace(
      agent(), {worker::FromProto(request->room()), request->any_nonce(), Limit(kRoomsDefault)});
  if (gathered == nullptr) return NoAnswer();
  response->Swap(gathered.get());
  return grpc::Status::OK;
}

grpc::Status AgentRpcs::Dump(grpc::ServerContext*, const v1::DumpRequest* request,
                             v1::DumpResponse* response) {
  if (agent() == nullptr) return NotBound();
  if (!FillStatus(agent(), response->mutable_status())) return NoAnswer();
  Options options = agent()->options();
  ConfigTable table("baton-agent", "");
  AddRows(&options, &table);
  for (absl::string_view setting : absl::StrSplit(table.Describe(), ' ')) {
    response->add_settings(std::string(setting));
  }
  for (const v1::CheckFinding& finding : agent()->findings()) *response->add_findings() = finding;
  auto rooms = Trace(agent(), {std::nullopt, false, Limit(request->limit())});
  auto channels = Gather<v1::DumpResponse>(
      agent(),
      [](WorkerCore& core, TimePoint, v1::DumpResponse* out) { core.DescribeChannels(out); });
  if (rooms == nullptr || channels == nullptr) return NoAnswer();
  response->mutable_rooms()->Swap(rooms->mutable_rooms());
  response->mutable_channels()->Swap(channels->mutable_channels());
  return grpc::Status::OK;
}

}  // namespace baton::agent

// RegisterServer and RegisterRank.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "bootstrap_service/registry/check.h"
#include "bootstrap_service/registry/difference.h"
#include "bootstrap_service/registry/registry.h"
#include "bootstrap_service/registry/topology.h"
#include "common/log.h"
#include "common/reason.h"

namespace baton::registry {
namespace {

template <typename Request>
Identity IdentityOf(const Request& request) {
  Identity identity;
  identity.launch_id = request.launch_id();
  identity.role = request.role();
  identity.model = request.model();
  identity.spec = std::make_shared<const v1::ServerSpec>(request.spec());
  identity.spec_bytes = request.spec().SerializeAsString();
  identity.sizes = FromProto(request.spec().sizes());
  identity.labels.insert(request.labels().begin(), request.labels().end());
  return identity;
}

// Without its port.
absl::string_view HostOf(absl::string_view address) {
  return address.substr(0, address.rfind(':'));
}

// "its agents are at 10.0.0.7:7100 and 10.0.0.8:7100", of those that hold a server's ranks.
std::string AddressesOf(const Server* server) {
  constexpr size_t kNamed = 2;
  if (server == nullptr) return "which has gone since";
  if (server->agents.empty()) {
    const bool said = !server->first_agent.empty();
    return said ? absl::StrCat("its agent is at ", server->first_agent) : "without agents so far";
  }
  std::vector<std::string> named;
  for (const auto& [epoch, agent] : server->agents) named.push_back(agent.address);
  std::sort(named.begin(), named.end());
  const size_t others = named.size() - std::min(named.size(), kNamed);
  named.resize(named.size() - others);
  return absl::StrCat("its agents are at ", absl::StrJoin(named, " and "),
                      others == 0 ? "" : absl::StrCat(" and ", others, " more"));
}

constexpr absl::string_view kTwoLaunches =
    "; pods of one server need one launch id, and two deployments need two names";
constexpr absl::string_view kTwins =
    "; two pods claim it, with one server name, launch id and rank";

absl::Status Refuse(Reason reason, absl::string_view message, const RankRef* rank) {
  return rank == nullptr ? Error(reason, message) : Error(reason, message, *rank);
}

}  // namespace

// Labels may differ between the ranks of a launch (a node's name, say): the first ones stand.
absl::Status Registry::CheckSameLaunch(const Server& server, const Identity& identity,
                                       const RankRef* rank) const {
  const Identity& ours = server.identity;
  std::optional<Difference> found;
  if (ours.launch_id != identity.launch_id) {
    found = Difference{"launch_id", ours.launch_id, identity.launch_id};
  } else if (ours.role != identity.role) {
    found = Difference{"role", v1::Role_Name(ours.role), v1::Role_Name(identity.role)};
  } else if (ours.model != identity.model) {
    found = Difference{"model", ours.model, identity.model};
  } else if (ours.spec_bytes != identity.spec_bytes) {
    found = FirstDifference(*ours.spec, *identity.spec);
    if (found) found->field = "spec." + found->field;
  }
  if (!found) return absl::OkStatus();
  return Refuse(
      Reason::kSpecMismatch,
      absl::StrCat("server ", *server.name, " incarnation ", server.incarnation.value(), ": ",
                   found->field, " is ", found->first, ", ",
                   rank == nullptr ? "this launch" : ToString(*rank), " brings ", found->second),
      rank);
}

absl::StatusOr<v1::RegisterServerResponse> Registry::Apply(const v1::RegisterServerRequest& request,
                                                           const Now& now) {
  Settle(now);
  absl::Status status = CheckRequest(request, limits_);
  if (!status.ok()) return status;
  Identity identity = IdentityOf(request);
  v1::RegisterServerResponse response;
  Server* server = FindMutable(request.name());
  if (server != nullptr && server->identity.launch_id == identity.launch_id) {
    status = CheckSameLaunch(*server, identity, nullptr);
    if (!status.ok()) return status;
    status = CheckNames(request.name(), request.aliases(), now);
    if (!status.ok()) return status;
    TakeAliases(server, request.aliases());
    response.set_incarnation(server->incarnation.value());
    return response;
  }
  if (const Launch* old = names_.Replaced(request.name(), identity.launch_id)) {
    return Error(
        Reason::kStaleIncarnation,
        absl::StrCat("server ", request.name(), ": launch ", old->id, " (incarnation ",
                     old->incarnation.value(), ") was replaced by launch ",
                     names_.Latest(request.name())->id, ", ", AddressesOf(server), kTwoLaunches));
  }
  if (!settled_) {
    return Error(Reason::kSettling,
                 absl::StrCat("server ", request.name(),
                              ": the service has just started; a newer launch may still be alive"));
  }
  status = CheckNewStart(identity, server);
  if (!status.ok()) return status;
  status = CheckNames(request.name(), request.aliases(), now);
  if (!status.ok()) return status;
  const Launch* latest = names_.Latest(request.name());
  uint64_t issued = now.unix_ms;
  if (latest != nullptr) {
    // The same launch comes back after its server was forgotten: it keeps its number.
    issued = latest->id == identity.launch_id ? latest->incarnation.value()
                                              : std::max(latest->incarnation.value() + 1, issued);
  }
  if (server != nullptr) {
    LOG(WARNING) << "server " << request.name() << ": launch " << identity.launch_id
                 << " replaces launch " << server->identity.launch_id << ": " << AddressesOf(server)
                 << ", the new one's at " << request.agent_address();
    RemoveServer(server, ServerEvent::kReplaced);
  }
  server = AddServer(request.name(), Incarnation(issued), std::move(identity), now);
  server->first_agent = request.agent_address();
  TakeAliases(server, request.aliases());
  response.set_incarnation(issued);
  return response;
}

// The server that the rank belongs to: the one that is here, or one rebuilt from what it says.
absl::StatusOr<Server*> Registry::JoinServer(const v1::RegisterRankRequest& request,
                                             const RankRef& rank, const Now& now) {
  Identity identity = IdentityOf(request);
  Incarnation incarnation(request.incarnation());
  const Launch* latest = names_.Latest(request.server());
  if (latest != nullptr && incarnation < latest->incarnation) {
    return Error(Reason::kStaleIncarnation,
                 // Both launches and both agents first: an engine's table has 168 bytes for it.
                 absl::StrCat("launch ", identity.launch_id, " at ", request.rank().agent_address(),
                              " was replaced by launch ", latest->id, ", ",
                              AddressesOf(FindMutable(request.server())), "; rank ", ToString(rank),
                              ", incarnation ", incarnation.value(), ", then ",
                              latest->incarnation.value(), kTwoLaunches),
                 rank);
  }
  Server* server = FindMutable(request.server());
  if (server != nullptr && server->incarnation == incarnation) {
    absl::Status status = CheckSameLaunch(*server, identity, &rank);
    if (status.ok()) status = CheckNames(request.server(), request.aliases(), now);
    if (!status.ok()) return Error(ReasonOf(status), status.message(), rank);
    return server;
  }
  if (latest != nullptr && latest->incarnation == incarnation && latest->id != identity.launch_id) {
    return Error(Reason::kSpecMismatch,
                 absl::StrCat("incarnation ", incarnation.value(), ": launch_id is ", latest->id,
                              ", ", ToString(rank), " brings ", identity.launch_id),
                 rank);
  }
  // Leaves numbers above it for the starts to come.
  if (incarnation.value() > kIncarnationMax / 2) {
    return Error(Reason::kBadSpec,
                 absl::StrCat("incarnation: ", incarnation.value(), " was never issued"), rank);
  }
  absl::Status status = CheckNewStart(identity, server);
  if (status.ok()) status = CheckNames(request.server(), request.aliases(), now);
  if (!status.ok()) return Error(ReasonOf(status), status.message(), rank);
  if (server != nullptr) RemoveServer(server, ServerEvent::kReplaced);
  return AddServer(request.server(), incarnation, std::move(identity), now);
}

// Whether an agent of this epoch and address may hold the slot.
absl::Status Registry::CheckHolder(const Server& server, uint32_t slot,
                                   const v1::RankRecord& record, const RankRef& rank) const {
  Epoch epoch(record.epoch());
  auto agent = server.agents.find(epoch);
  if (agent != server.agents.end() && agent->second.address != record.agent_address()) {
    return Error(
        Reason::kSpecMismatch,
        absl::StrCat("rank ", ToString(rank), ": agent_address is ", agent->second.address,
                     " for epoch ", epoch.value(), ", now it brings ", record.agent_address()),
        rank);
  }
  const Slot& now = server.slots[slot];
  const auto held_by = server.agents.find(now.epoch);
  const std::string held_at = held_by == server.agents.end() ? "" : held_by->second.address;
  const std::string holder =
      absl::StrCat("epoch ", now.epoch.value(), held_at.empty() ? "" : " at ", held_at);
  auto retired = server.retired.find(slot);
  if (retired != server.retired.end() &&
      std::find(retired->second.begin(), retired->second.end(), epoch) != retired->second.end()) {
    return Error(Reason::kStaleEpoch,
                 absl::StrCat("rank ", ToString(rank), ": epoch ", epoch.value(), " at ",
                              record.agent_address(), " was replaced by ", holder, kTwins),
                 rank);
  }
  if (now.phase.state() != SlotPhase::kLive || now.epoch == epoch) return absl::OkStatus();
  if (!settled_) {
    return Error(Reason::kSettling,
                 absl::StrCat("rank ", ToString(rank), ": ", holder,
                              " holds the slot and the service has just started"),
                 rank);
  }
  // An agent that started again is where it was. Elsewhere the slot is free once its holder has
  // been silent for a lease time: of two that live, neither takes it from the other.
  if (HostOf(held_at) != HostOf(record.agent_address())) {
    return Error(Reason::kSettling,
                 absl::StrCat("rank ", ToString(rank), ": ", holder, " holds the slot and lives, ",
                              record.agent_address(), " asks for it", kTwins),
                 rank);
  }
  return absl::OkStatus();
}

void Registry::DropFromAgent(Server* server, Epoch epoch) {
  auto agent = server->agents.find(epoch);
  if (--agent->second.live == 0) {
    if (agent->second.loaded) NoteChange(server, ChangeKind::kLoad);
    server->agents.erase(agent);
  }
}

LeaseId Registry::TakeSlot(Server* server, uint32_t number, const v1::RankRecord& record,
                           const Now& now) {
  Slot& slot = server->slots[number];
  Epoch epoch(record.epoch());
  bool live = slot.phase.state() == SlotPhase::kLive;
  if (live && slot.epoch == epoch) {
    leases_.Renew(slot.lease, epoch, now.time);
    return slot.lease;
  }
  if (slot.epoch != Epoch() && slot.epoch != epoch) {
    std::vector<Epoch>& retired = server->retired[number];
    if (retired.size() == kEpochsRemembered) retired.erase(retired.begin());
    retired.push_back(slot.epoch);
  }
  if (live) {
    leases_.End(slot.lease, LeaseEvent::kRevoke);
    DropFromAgent(server, slot.epoch);
  }
  slot.phase.Advance(live ? SlotEvent::kReplace : SlotEvent::kRegister);
  slot.epoch = epoch;
  slot.lease = leases_.Grant(server->name, number, epoch, now.time);
  Agent& agent = server->agents[epoch];
  agent.address = record.agent_address();
  ++agent.live;
  server->live.Insert(number);
  empty_.erase(*server->name);
  NoteChange(server, ChangeKind::kSlot, number);
  if (server->live.full()) Advance(server, ServerEvent::kFilled);
  return slot.lease;
}

absl::StatusOr<v1::RegisterRankResponse> Registry::Apply(const v1::RegisterRankRequest& request,
                                                         const Now& now) {
  Settle(now);
  absl::Status status = CheckRequest(request, limits_);
  if (!status.ok()) return status;
  RankRef rank{request.server(), FromProto(request.rank().coord())};
  absl::StatusOr<Server*> server = JoinServer(request, rank, now);
  if (!server.ok()) return server.status();
  uint32_t slot = SlotOf(rank.coord, (*server)->identity.sizes);
  status = CheckHolder(**server, slot, request.rank(), rank);
  if (!status.ok()) return status;
  TakeAliases(*server, request.aliases());
  v1::RegisterRankResponse response;
  response.set_lease_id(TakeSlot(*server, slot, request.rank(), now).value());
  response.set_lease_ms(
      std::chrono::duration_cast<std::chrono::milliseconds>(limits_.lease).count());
  return response;
}

}  // namespace baton::registry

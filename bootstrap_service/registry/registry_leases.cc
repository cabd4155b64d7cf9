// KeepAlive and Deregister: what happens to a rank that is registered.
#include "absl/strings/str_cat.h"
#include "bootstrap_service/registry/registry.h"
#include "common/reason.h"

namespace baton::registry {

void Registry::LeaveSlot(Server* server, uint32_t number, SlotEvent how, const Now& now) {
  Slot& slot = server->slots[number];
  slot.phase.Advance(how);
  slot.lease = LeaseId();
  server->live.Erase(number);
  DropFromAgent(server, slot.epoch);
  NoteChange(server, ChangeKind::kSlot, number);
  Advance(server, ServerEvent::kUnfilled);
  if (!server->live.empty()) return;
  server->empty_since = now.time;
  empty_.insert(*server->name);
}

absl::StatusOr<v1::KeepAliveResponse> Registry::Apply(const v1::KeepAliveRequest& request,
                                                      const Now& now) {
  Settle(now);
  if (request.epoch() == 0) return Error(Reason::kBadSpec, "epoch: is missing");
  v1::KeepAliveResponse response;
  absl::flat_hash_set<std::string> servers;
  for (uint64_t id : request.lease_ids()) {
    const Lease* lease = leases_.Renew(LeaseId(id), Epoch(request.epoch()), now.time);
    if (lease == nullptr) {
      response.add_unknown_lease_ids(id);
    } else if (request.has_load()) {
      servers.insert(*lease->server);
    }
  }
  NoteLoad(request, servers);
  response.set_lease_ms(
      std::chrono::duration_cast<std::chrono::milliseconds>(limits_.lease).count());
  return response;
}

void Registry::NoteLoad(const v1::KeepAliveRequest& request,
                        const absl::flat_hash_set<std::string>& servers) {
  const v1::Load& load = request.load();
  for (const std::string& name : servers) {
    Server* server = FindMutable(name);
    Agent& agent = server->agents.at(Epoch(request.epoch()));
    bool same = agent.loaded && agent.rooms == load.rooms() && agent.healthy == load.healthy() &&
                agent.bytes_per_second == load.bytes_per_second();
    if (same) continue;
    agent.loaded = true;
    agent.rooms = load.rooms();
    agent.bytes_per_second = load.bytes_per_second();
    agent.healthy = load.healthy();
    NoteChange(server, ChangeKind::kLoad);
  }
}

absl::StatusOr<v1::DeregisterResponse> Registry::Apply(const v1::DeregisterRequest& request,
                                                       const Now& now) {
  Settle(now);
  v1::DeregisterResponse response;
  for (uint64_t id : request.lease_ids()) {
    std::optional<Lease> lease = leases_.End(LeaseId(id), LeaseEvent::kRelease);
    if (!lease) continue;
    response.set_removed(response.removed() + 1);
    Server* server = FindMutable(*lease->server);
    LeaveSlot(server, lease->slot, SlotEvent::kDeregister, now);
    if (server->live.empty()) RemoveServer(server, ServerEvent::kLeft);
  }
  return response;
}

}  // namespace baton::registry

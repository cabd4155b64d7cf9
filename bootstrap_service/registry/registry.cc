// Servers: their coming, their states and their end.
#include "bootstrap_service/registry/registry.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "bootstrap_service/registry/check.h"
#include "bootstrap_service/registry/topology.h"
#include "common/log.h"
#include "common/reason.h"

namespace baton::registry {

Registry::Registry(const Limits& limits, uint64_t store_epoch, const Now& now)
    : limits_(limits),
      store_epoch_(store_epoch),
      settles_at_(now.time + limits.settle),
      ticked_(now.time),
      names_(limits.remembered_names),
      leases_(limits.lease, store_epoch),
      changes_(limits.changes) {
  Settle(now);
}

const Server* Registry::Find(absl::string_view name) const {
  auto it = servers_.find(name);
  return it == servers_.end() ? nullptr : it->second.get();
}

Server* Registry::FindMutable(absl::string_view name) {
  auto it = servers_.find(name);
  return it == servers_.end() ? nullptr : it->second.get();
}

// Whether the start makes sense, and there is room for it.
absl::Status Registry::CheckNewStart(const Identity& identity, const Server* replaced) const {
  if (absl::Status status = CheckMeaning(*identity.spec); !status.ok()) return status;
  uint32_t slots = SlotsOf(identity.sizes, limits_.ranks_per_server);
  uint64_t others = slots_ - (replaced == nullptr ? 0 : replaced->slots.size());
  if (others + slots > limits_.ranks) {
    return Error(Reason::kTooLarge,
                 absl::StrCat("spec.sizes: ", slots, " ranks beside ", others,
                              " of other servers; --max_ranks is ", limits_.ranks));
  }
  const uint64_t other_bytes =
      spec_bytes_ - (replaced == nullptr ? 0 : replaced->identity.spec_bytes.size());
  if (other_bytes + identity.spec_bytes.size() > limits_.spec_bytes) {
    return Error(Reason::kTooLarge,
                 absl::StrCat("spec: ", identity.spec_bytes.size(), " bytes beside ", other_bytes,
                              " of other servers; --max_spec_bytes is ", limits_.spec_bytes));
  }
  if (replaced == nullptr && servers_.size() >= limits_.servers) {
    return Error(Reason::kTooLarge, absl::StrCat("name: --max_servers is ", limits_.servers));
  }
  return absl::OkStatus();
}

Server* Registry::AddServer(const std::string& name, Incarnation incarnation, Identity identity,
                            const Now& now) {
  uint32_t slots = SlotsOf(identity.sizes, limits_.ranks_per_server);
  names_.Note(name, {identity.launch_id, incarnation});
  spec_bytes_ += identity.spec_bytes.size();
  auto server = std::make_unique<Server>(name, incarnation, std::move(identity), slots);
  server->empty_since = now.time;
  Server* added = server.get();
  servers_.emplace(name, std::move(server));
  empty_.insert(name);
  slots_ += slots;
  LOG(INFO) << "server " << name << " incarnation " << incarnation.value() << " launch "
            << added->identity.launch_id << ": " << slots << " slots";
  added->phase.Advance(settled_ ? ServerEvent::kIssued : ServerEvent::kRebuilt);
  NoteChange(added, ChangeKind::kWhole);
  return added;
}

void Registry::RemoveServer(Server* server, ServerEvent how) {
  for (Slot& slot : server->slots) {
    if (slot.phase.state() == SlotPhase::kLive) leases_.End(slot.lease, LeaseEvent::kRevoke);
  }
  if (how == ServerEvent::kLeft && server->phase.CanAdvance(ServerEvent::kUnfilled)) {
    server->phase.Advance(ServerEvent::kUnfilled);
  }
  server->phase.Advance(how);
  std::string name = *server->name;
  LOG(INFO) << "server " << name << " incarnation " << server->incarnation.value()
            << " is gone: " << Name(how);
  NoteChange(server, ChangeKind::kRemoved);
  for (const std::string& alias : server->aliases) aliases_.erase(alias);
  slots_ -= server->slots.size();
  spec_bytes_ -= server->identity.spec_bytes.size();
  empty_.erase(name);
  servers_.erase(name);
  names_.NoteGone(name);
}

// The state follows from the set of live slots; this is called when that set has changed.
void Registry::Advance(Server* server, ServerEvent event) {
  if (!server->phase.CanAdvance(event)) return;
  ServerPhase from = server->phase.state();
  ServerPhase to = server->phase.Advance(event);
  if (from == to) return;
  LOG(INFO) << "server " << *server->name << " incarnation " << server->incarnation.value() << ": "
            << Name(from) << " to " << Name(to) << ", " << server->live.size() << " of "
            << server->slots.size() << " ranks live";
  NoteChange(server, ChangeKind::kState);
}

void Registry::NoteChange(Server* server, ChangeKind kind, uint32_t slot) {
  changes_.Append({server->name, slot, kind});
  server->modified = changes_.latest();
  server->image = nullptr;
}

void Registry::Settle(const Now& now) {
  if (settled_ || now.time < settles_at_) return;
  settled_ = true;
  for (auto& [name, server] : servers_) {
    Advance(server.get(),
            server->live.full() ? ServerEvent::kSettledFull : ServerEvent::kSettledPartial);
  }
  changes_.Append({nullptr, 0, ChangeKind::kSettled});
}

void Registry::ForgetEmptyServers(const Now& now) {
  Duration patience = limits_.lease * limits_.forget_after_leases;
  std::vector<std::string> due;
  for (const std::string& name : empty_) {
    if (FindMutable(name)->empty_since + patience <= now.time) due.push_back(name);
  }
  for (const std::string& name : due) {
    Server* server = FindMutable(name);
    if (server->phase.CanAdvance(ServerEvent::kForgotten)) {
      RemoveServer(server, ServerEvent::kForgotten);
    }
  }
}

void Registry::Tick(const Now& now) {
  bool stalled = now.time - ticked_ > limits_.lease / 2;
  ticked_ = now.time;
  if (stalled) {
    // The silence was ours: whoever is alive gets the time to renew.
    no_expiry_before_ = now.time + limits_.lease;
    LOG(WARNING) << "registry stood still: no lease ends for one lease time";
  }
  Settle(now);
  for (const Lease& lease : leases_.Expire(now.time, no_expiry_before_)) {
    Server* server = FindMutable(*lease.server);
    LOG(WARNING) << "rank " << *lease.server << "["
                 << ToString(CoordOf(lease.slot, server->identity.sizes)) << "] epoch "
                 << lease.epoch.value() << ": its lease ended";
    ++expirations_;
    LeaveSlot(server, lease.slot, SlotEvent::kExpire, now);
  }
  ForgetEmptyServers(now);
}

absl::StatusOr<v1::DrainResponse> Registry::Apply(const v1::DrainRequest& request, const Now& now) {
  Settle(now);
  const Server* named = Resolve(request.server());
  if (named == nullptr) {
    return Error(Reason::kUnknownServer, absl::StrCat("server ", request.server()));
  }
  Server* server = FindMutable(*named->name);
  if (request.incarnation() != 0 && request.incarnation() != server->incarnation.value()) {
    return Error(Reason::kStaleIncarnation,
                 absl::StrCat("server ", request.server(), ": incarnation ", request.incarnation(),
                              " was named, ", server->incarnation.value(), " is here"));
  }
  if (!request.undo()) {
    Advance(server, ServerEvent::kDrain);
  } else {
    Advance(server, server->live.full() ? ServerEvent::kUndrainFull : ServerEvent::kUndrainPartial);
  }
  return v1::DrainResponse();
}

}  // namespace baton::registry

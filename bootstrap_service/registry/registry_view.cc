// What readers see.
#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "bootstrap_service/registry/registry.h"
#include "bootstrap_service/registry/topology.h"
#include "bootstrap_service/registry/view.h"
#include "common/reason.h"

namespace baton::registry {

void FillRank(const Server& server, uint32_t number, v1::RankRecord* out) {
  const Slot& slot = server.slots[number];
  SetProto(CoordOf(number, server.identity.sizes), out->mutable_coord());
  out->set_epoch(slot.epoch.value());
  out->set_agent_address(server.agents.at(slot.epoch).address);
}

void FillLoad(const Server& server, v1::Load* out) {
  bool healthy = true;
  uint64_t rooms = 0;
  uint64_t bytes_per_second = 0;
  for (const auto& [epoch, agent] : server.agents) {
    if (!agent.loaded) continue;
    rooms += agent.rooms;
    bytes_per_second += agent.bytes_per_second;
    healthy = healthy && agent.healthy;
  }
  out->set_rooms(std::min<uint64_t>(rooms, std::numeric_limits<uint32_t>::max()));
  out->set_bytes_per_second(bytes_per_second);
  out->set_healthy(healthy);
}

v1::ServerRecord RecordOf(const Server& server, uint64_t store_epoch) {
  const Identity& identity = server.identity;
  v1::ServerRecord record;
  record.set_name(*server.name);
  record.set_incarnation(server.incarnation.value());
  record.set_role(identity.role);
  record.set_model(identity.model);
  *record.mutable_spec() = *identity.spec;
  record.set_state(ToProto(server.phase.state()));
  record.mutable_ranks()->Reserve(server.live.size());
  for (uint32_t slot = 0; slot < server.slots.size(); ++slot) {
    if (server.live.Contains(slot)) {
      FillRank(server, slot, record.add_ranks());
    } else if (record.missing_size() < static_cast<int>(kMissingListed)) {
      SetProto(CoordOf(slot, identity.sizes), record.add_missing());
    }
  }
  record.set_missing_count(server.slots.size() - server.live.size());
  record.mutable_labels()->insert(identity.labels.begin(), identity.labels.end());
  for (const std::string& alias : server.aliases) record.add_aliases(alias);
  FillLoad(server, record.mutable_load());
  record.mutable_modified()->set_store_epoch(store_epoch);
  record.mutable_modified()->set_number(server.modified);
  return record;
}

std::shared_ptr<const ServerImage> Registry::ImageOf(absl::string_view name) {
  Server* server = FindMutable(name);
  if (server->image != nullptr) return server->image;
  auto image = std::make_shared<ServerImage>();
  image->name = *server->name;
  image->role = server->identity.role;
  image->model = server->identity.model;
  image->spec = server->identity.spec;
  image->ranks = server->live.size();
  image->record = RecordOf(*server, store_epoch_).SerializeAsString();
  server->image = std::move(image);
  return server->image;
}

absl::Status Registry::CheckDp(absl::string_view name, uint32_t dp) const {
  const Server* server = Find(name);
  if (server == nullptr || dp < server->identity.sizes.dp) return absl::OkStatus();
  return Error(Reason::kBadCoord, absl::StrCat("dp ", dp, " is outside of server ", name,
                                               ", which has ", server->identity.sizes.dp));
}

}  // namespace baton::registry

// One start of a server, as the registry holds it.
#ifndef BATON_BOOTSTRAP_SERVICE_REGISTRY_SERVER_H_
#define BATON_BOOTSTRAP_SERVICE_REGISTRY_SERVER_H_

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "baton/v1/registry.pb.h"
#include "bootstrap_service/registry/server_states.h"
#include "bootstrap_service/registry/slot_set.h"
#include "bootstrap_service/registry/slot_states.h"
#include "common/clock.h"
#include "common/ids.h"

namespace baton::registry {

// What is equal on all ranks of a start.
struct Identity {
  std::string launch_id;
  v1::Role role = v1::ROLE_UNSPECIFIED;
  std::string model;
  std::shared_ptr<const v1::ServerSpec> spec;  // shared with images that readers hold
  std::string spec_bytes;                      // of `spec`: most comparisons end here
  RankCoord sizes;
  std::map<std::string, std::string> labels;
};

// An agent process that hosts live ranks of the server.
struct Agent {
  std::string address;
  uint32_t live = 0;
  bool loaded = false;
  uint32_t rooms = 0;
  uint64_t bytes_per_second = 0;
  bool healthy = true;
};

struct Slot {
  SlotMachine phase = NewSlotMachine();
  Epoch epoch;    // of the latest holder
  LeaseId lease;  // while live
};

// A server as readers see it; immutable.
struct ServerImage {
  std::string name;
  v1::Role role = v1::ROLE_UNSPECIFIED;
  std::string model;
  std::shared_ptr<const v1::ServerSpec> spec;  // shared with the registry and other images
  uint32_t ranks = 0;
  std::string record;  // a serialized v1::ServerRecord
};

struct Server {
  Server(std::string server_name, Incarnation server_incarnation, Identity server_identity,
         uint32_t slot_count)
      : name(std::make_shared<const std::string>(std::move(server_name))),
        incarnation(server_incarnation),
        identity(std::move(server_identity)),
        slots(slot_count),
        live(slot_count) {}

  std::shared_ptr<const std::string> name;  // shared with leases and changes
  Incarnation incarnation;
  Identity identity;
  std::set<std::string> aliases;  // that any rank of the launch brought
  std::string first_agent;        // who asked for this start; empty when it did not say
  ServerMachine phase = NewServerMachine();
  std::vector<Slot> slots;
  SlotSet live;
  absl::flat_hash_map<Epoch, Agent> agents;                   // those with live ranks
  absl::flat_hash_map<uint32_t, std::vector<Epoch>> retired;  // slot -> epochs replaced in it
  TimePoint empty_since;                                      // while `live` is empty
  uint64_t modified = 0;                                      // revision of the latest change
  std::shared_ptr<const ServerImage> image;  // null: to be made anew. Shared with readers.
};

}  // namespace baton::registry

#endif  // BATON_BOOTSTRAP_SERVICE_REGISTRY_SERVER_H_

// The router's copy of the cluster, arranged for picking: no threads, no clock, no I/O.
//
// A pair is offered only when both servers are ready, of one model, and the planner says that their
// layouts fit. Servers that are made alike share a pool, so that pools are compared once, not
// servers. Load is what the servers last reported, plus what was picked here within the last one to
// two periods of Age(): a report is always a little old, and without the second part all requests
// of that while would go to one server. Thread-compatible.
#ifndef BATON_CLIENT_ROUTER_TABLE_H_
#define BATON_CLIENT_ROUTER_TABLE_H_

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/router/choose.h"
#include "client/router/pool.h"
#include "client/router/random.h"
#include "client/router/room_names.h"
#include "client/router/route.h"

namespace baton::router {

using Labels = std::map<std::string, std::string>;

struct TableOptions {
  // Labels that say where a server is, widest first; at most 7 are looked at.
  std::vector<std::string> place_labels = {"zone", "rack", "host"};
  // Where this router is, by the same labels; empty: nowhere.
  Labels here;
  // From the system's source of random numbers.
  uint64_t seed = 0;
  uint64_t room_nonce = 0;
  uint64_t first_room = 0;
};

class Table {
 public:
  explicit Table(const TableOptions& options);
  ~Table();

  // The server appeared or changed in any way.
  void Update(std::shared_ptr<const v1::ServerRecord> server);
  void Remove(absl::string_view name);
  // A period of picks is over.
  void Age();

  // Null when unknown.
  std::shared_ptr<const v1::ServerRecord> Find(absl::string_view name) const;
  size_t size() const { return by_name_.size(); }

  // NOT_READY: no server of the role is ready. INCOMPATIBLE: those that are ready do not fit; names
  // a field and both values of one such pair.
  absl::StatusOr<Route> Pick(const PickRequest& request);

 private:
  struct Model;
  struct Entry;
  struct Context;

  Entry* At(uint32_t id) { return entries_[id].get(); }
  const Entry* At(uint32_t id) const { return entries_[id].get(); }
  uint32_t NewEntry(const std::string& name);
  // Finds or makes the entry's pool; without one when the spec is none.
  void FindPool(Entry* entry);
  void LeavePool(Entry* entry);
  void Open(uint32_t id);
  void Close(uint32_t id);
  void SetKey(uint32_t id);
  uint64_t KeyOf(const Entry& entry) const;
  Places PlacesOf(const google::protobuf::Map<std::string, std::string>& labels) const;
  Choice ChooseServer(const PickRequest& request, const Candidates& from, const Places& near,
                      uint64_t point, uint64_t* turn);
  Leg TakeLeg(uint32_t id, const PickRequest& request, uint64_t point);
  absl::Status WhyNone(const PickRequest& request) const;

  const TableOptions options_;
  Places here_;
  Random random_;
  RoomNames rooms_;
  std::vector<std::unique_ptr<Entry>> entries_;  // null: free
  std::vector<uint32_t> free_;
  absl::flat_hash_map<std::string, uint32_t> by_name_;
  absl::flat_hash_map<std::string, std::unique_ptr<Model>> models_;
};

}  // namespace baton::router

#endif  // BATON_CLIENT_ROUTER_TABLE_H_

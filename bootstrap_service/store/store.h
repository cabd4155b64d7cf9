// Where the registry's truth lives. The service speaks to a Store, never to a Registry: commands go
// in and are answered once they are part of the truth; reads and watches are answered from this
// process's copy of it. The embedded store (memory_store.h) is the truth itself; a store that keeps
// it elsewhere carries commands there, and applies what comes back to a copy of its own.
//
// Thread-safe. `done` is called exactly once for each command, perhaps before Submit returns, never
// with a lock of the store held.
#ifndef BATON_BOOTSTRAP_SERVICE_STORE_STORE_H_
#define BATON_BOOTSTRAP_SERVICE_STORE_STORE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "baton/v1/registry.pb.h"
#include "bootstrap_service/registry/batch.h"
#include "bootstrap_service/registry/rooms.h"
#include "bootstrap_service/registry/server.h"
#include "bootstrap_service/store/stats.h"
#include "common/clock.h"

namespace baton::registry {

template <typename Response>
using Done = std::function<void(absl::StatusOr<Response>)>;

// Shared with the registry's cache and other readers; immutable.
using ServerImagePtr = std::shared_ptr<const ServerImage>;

// What is current at one revision.
struct Listing {
  std::vector<ServerImagePtr> servers;  // sorted by name
  uint64_t number = 0;
  bool more = false;  // servers that the query fits, behind these
};

// Serialized v1::WatchResponse messages that bring a watcher to revision `number`.
struct WatchMessages {
  std::vector<std::string> messages;
  uint64_t number = 0;
};

class Store {
 public:
  virtual ~Store() = default;

  virtual void Submit(const v1::RegisterServerRequest& request,
                      Done<v1::RegisterServerResponse> done) = 0;
  virtual void Submit(const v1::RegisterRankRequest& request,
                      Done<v1::RegisterRankResponse> done) = 0;
  virtual void Submit(const v1::KeepAliveRequest& request, Done<v1::KeepAliveResponse> done) = 0;
  virtual void Submit(const v1::DeregisterRequest& request, Done<v1::DeregisterResponse> done) = 0;
  virtual void Submit(const v1::DrainRequest& request, Done<v1::DrainResponse> done) = 0;
  virtual void Submit(const v1::BindRoomRequest& request, Done<v1::BindRoomResponse> done) = 0;

  // Answers when one of the rooms is bound, at `wait_ends` at the latest. Returns what
  // CancelLookup takes while the answer is outstanding.
  virtual WaiterId Lookup(const v1::LookupRoomRequest& request, TimePoint wait_ends,
                          Done<v1::LookupRoomResponse> done) = 0;
  // True: `done` will not be called. False: it was, or is about to be.
  virtual bool CancelLookup(WaiterId waiter) = 0;

  // By name or alias. NOT_FOUND/UNKNOWN_SERVER.
  virtual absl::StatusOr<Listing> Get(const std::string& name) = 0;
  // Those of a role and model (unspecified, empty: any) whose names come after `after`, until one
  // more would be more than `servers` servers or `bytes` bytes; at least one, where there is one.
  struct ListQuery {
    v1::Role role = v1::ROLE_UNSPECIFIED;
    std::string model;
    std::string after;
    size_t servers = SIZE_MAX;
    size_t bytes = SIZE_MAX;
  };
  virtual Listing List(const ListQuery& query) = 0;

  // For operators: walks all servers.
  virtual StoreStats Stats() = 0;

  // Revisions of another store epoch do not compare with those of this one.
  virtual uint64_t store_epoch() const = 0;
  virtual WatchMessages Snapshot(const ServerFilter& filter) = 0;
  // The changes after `number` as at most one message. OUT_OF_RANGE when they are not kept any
  // more, or `number` is none of this store epoch.
  virtual absl::StatusOr<WatchMessages> ChangesAfter(uint64_t number,
                                                     const ServerFilter& filter) = 0;
  // Called after each change, from any thread, without a lock of the store; must not block. Null:
  // no more; after the call returns the old one is not running.
  virtual void SetListener(std::function<void()> listener) = 0;
};

}  // namespace baton::registry

#endif  // BATON_BOOTSTRAP_SERVICE_STORE_STORE_H_

// Which room lookups and bindings to send when: no threads, no gRPC. Lookups that come together go
// in one request; a binding is told again to a service that has lost its memory, until its time is
// over. Thread-compatible.
#ifndef BATON_CLIENT_BOOTSTRAP_ROOM_CALLS_H_
#define BATON_CLIENT_BOOTSTRAP_ROOM_CALLS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "baton/v1/registry.pb.h"
#include "client/bootstrap/directory.h"
#include "client/rpc/backoff.h"
#include "common/clock.h"
#include "common/ids.h"

namespace baton {

class RoomCalls {
 public:
  using LookupDone = Directory::LookupDone;
  using CallId = uint64_t;

  // Bounds of what waits here; beyond it a lookup fails and the oldest binding is forgotten.
  static constexpr size_t kWaitingMax = 65536;
  static constexpr size_t kBindingsMax = 65536;

  struct Calls {
    std::vector<std::pair<CallId, v1::LookupRoomRequest>> lookups;
    std::optional<v1::BindRoomRequest> bind;
  };

  RoomCalls(Duration backoff_max, uint64_t seed);

  // `done` is called by On... or Step, never from here.
  void Lookup(const std::string& server, const RoomKey& room, TimePoint ends, LookupDone done);
  void Bind(const std::string& server, const RoomKey& room, uint32_t dp, TimePoint ends);
  // The service knows none of the bindings any more.
  void ForgetSent();

  // Calls that are due; each is answered by one On... below. Ends lookups whose time is over.
  Calls Step(TimePoint now);
  void OnLookup(CallId call, const absl::StatusOr<v1::LookupRoomResponse>& answer, TimePoint now);
  void OnBind(const absl::StatusOr<v1::BindRoomResponse>& answer, TimePoint now);

  TimePoint next(TimePoint now) const;
  // Fails what waits.
  void Stop(const absl::Status& why);

 private:
  using Key = std::pair<std::string, RoomKey>;
  struct Waiting {
    TimePoint ends;
    LookupDone done;
  };
  struct Binding {
    uint32_t dp = 0;
    TimePoint ends;
    bool sent = false;
  };

  void StepLookups(TimePoint now, Calls* calls);
  void StepBindings(TimePoint now, Calls* calls);
  void Finish(const Key& key, const absl::StatusOr<uint32_t>& answer);

  std::map<Key, std::vector<Waiting>> waiting_;
  size_t waiting_count_ = 0;
  std::set<Key> unasked_;
  CallId next_call_ = 1;
  std::map<CallId, std::set<Key>> asking_;
  TimePoint next_lookup_;
  Backoff lookup_backoff_;

  std::map<Key, Binding> bindings_;
  std::vector<Key> binding_;  // in the request that is out; empty when none is
  bool one_by_one_ = false;   // a request was refused: find out which of them is to blame
  TimePoint next_bind_;
  Backoff bind_backoff_;
};

}  // namespace baton

#endif  // BATON_CLIENT_BOOTSTRAP_ROOM_CALLS_H_

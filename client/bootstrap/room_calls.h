// Which rooms to look up and which to bind when: no threads, no gRPC. Lookups go over one stream,
// each when it comes, and wait there for nothing but their own binding; bindings that come together
// go in one request, each with its own time. A binding is told again to a service that has lost its
// memory, until its room is over or its time is. Nothing here walks what waits. Thread-compatible.
#ifndef BATON_CLIENT_BOOTSTRAP_ROOM_CALLS_H_
#define BATON_CLIENT_BOOTSTRAP_ROOM_CALLS_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
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

  // Bounds of what waits here; beyond it a lookup fails and the binding that ends first is
  // forgotten.
  static constexpr size_t kWaitingMax = 65536;
  static constexpr size_t kBindingsMax = 262144;

  struct Calls {
    bool open_stream = false;  // before the requests are sent over it; ends by OnStreamEnd
    std::vector<v1::FollowRoomsRequest> follow;
    std::optional<v1::BindRoomRequest> bind;  // answered by OnBind
  };

  RoomCalls(Duration backoff_max, uint64_t seed);

  // `done` is called by On... or Step, never from here.
  void Lookup(const std::string& server, const RoomKey& room, TimePoint ends, LookupDone done);
  void Bind(const std::string& server, const RoomKey& room, uint32_t dp, TimePoint ends);
  // The room went well and is over: its binding is kept no longer.
  void Over(const std::string& server, const RoomKey& room, TimePoint now);
  // The service knows none of the bindings any more.
  void ForgetSent();

  // What is due. Ends lookups whose time is over.
  Calls Step(TimePoint now);
  void OnFollowed(const v1::FollowRoomsResponse& answer);
  void OnStreamEnd(TimePoint now);
  void OnBind(const absl::StatusOr<v1::BindRoomResponse>& answer, TimePoint now);

  TimePoint next(TimePoint now) const;
  // Fails what waits.
  void Stop(const absl::Status& why);

  size_t bindings() const { return bindings_.size(); }
  size_t lookups() const { return lookup_ends_.size(); }

 private:
  using Key = std::pair<std::string, RoomKey>;
  struct Lookups;
  using LookupMap = std::map<Key, Lookups>;
  struct Waiting {
    LookupDone done;
    std::multimap<TimePoint, LookupMap::iterator>::iterator end;
  };
  // All that wait for one room.
  struct Lookups {
    std::vector<Waiting> waiting;
    TimePoint latest;     // end of those
    TimePoint asked_for;  // followed until then
  };
  struct Binding;
  using BindingMap = std::map<Key, Binding>;
  struct Binding {
    uint32_t dp = 0;
    std::multimap<TimePoint, BindingMap::iterator>::iterator end;
    bool queued = false;  // in unsent_
  };

  void StepLookups(TimePoint now, Calls* calls);
  void EndLookups(TimePoint now);
  void StepBindings(TimePoint now, Calls* calls);
  void Finish(LookupMap::iterator it, const absl::StatusOr<uint32_t>& answer);
  void Queue(BindingMap::iterator it);
  void Erase(BindingMap::iterator it);
  bool OverIsDue(TimePoint now) const;

  LookupMap lookups_;
  std::multimap<TimePoint, LookupMap::iterator> lookup_ends_;  // one for each that waits
  std::deque<Key> unasked_;  // some may have ended, or been asked for, since
  bool streaming_ = false;
  TimePoint next_stream_;
  Backoff stream_backoff_;

  BindingMap bindings_;
  std::multimap<TimePoint, BindingMap::iterator> binding_ends_;
  std::deque<Key> unsent_;  // some may have ended since
  std::deque<Key> over_;
  TimePoint over_since_;      // of the first of them
  std::vector<Key> binding_;  // in the request that is out
  std::vector<Key> overing_;  // the same
  bool bind_is_out_ = false;
  // Bindings in a request: halved by a refusal, which one of them is to blame for.
  size_t batch_;
  TimePoint next_bind_;
  Backoff bind_backoff_;
};

}  // namespace baton

#endif  // BATON_CLIENT_BOOTSTRAP_ROOM_CALLS_H_

// Aborts on their way to the agents of both legs: who has to be told yet, and when to try again. No
// threads, no clock, no gRPC. Thread-compatible.
#ifndef BATON_CLIENT_ROUTER_ABORT_CALLS_H_
#define BATON_CLIENT_ROUTER_ABORT_CALLS_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/router/route.h"
#include "client/rpc/backoff.h"
#include "common/clock.h"
#include "common/ids.h"

namespace baton::router {

// Agents that host ranks of the leg's dp rank, each once.
std::set<std::string> AgentsOf(const v1::ServerRecord& server, uint32_t dp);

class AbortCalls {
 public:
  // OK once every agent has answered; otherwise the first failure, which names its agent.
  using Done = std::function<void(const absl::Status&)>;
  using CallId = uint64_t;
  struct Call {
    CallId id;
    std::string address;
    RoomKey room;
    std::string why;
    std::chrono::milliseconds deadline;
  };

  // A flood of aborts ends here rather than in memory.
  static constexpr size_t kCallsMax = 8192;

  explicit AbortCalls(uint64_t seed) : random_(seed) {}

  // `done` is called once, never from within. FULL: nothing was begun, and `done` is not called.
  absl::Status Abort(const RoomKey& room, const std::set<std::string>& agents,
                     const std::string& why, TimePoint ends, Done done);

  // Calls that are due; each is answered by OnAnswer.
  std::vector<Call> Step(TimePoint now);
  void OnAnswer(CallId id, const absl::Status& status, TimePoint now);
  // When Step has something to do again.
  TimePoint next(TimePoint now) const;
  // Fails what is open.
  void Stop(const absl::Status& why);

 private:
  struct Job {
    size_t left = 0;
    absl::Status status;
    Done done;
  };
  struct Open {
    std::shared_ptr<Job> job;  // shared by the calls of one Abort
    std::string address;
    RoomKey room;
    std::string why;
    TimePoint ends;
    TimePoint due;
    bool out = false;
    Backoff backoff;
  };

  void Finish(std::map<CallId, Open>::iterator open, const absl::Status& status);

  uint64_t random_;
  CallId next_id_ = 1;
  std::map<CallId, Open> open_;
};

}  // namespace baton::router

#endif  // BATON_CLIENT_ROUTER_ABORT_CALLS_H_

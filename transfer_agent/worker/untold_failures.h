// Rooms that failed at a target before all their sources were known. A source is told as soon as it
// is: its engine would wait for its own deadline otherwise.
//
// Thread-compatible; bounded: the oldest are forgotten first, and each at its room's deadline, when
// its sources end by themselves.
#ifndef BATON_TRANSFER_AGENT_WORKER_UNTOLD_FAILURES_H_
#define BATON_TRANSFER_AGENT_WORKER_UNTOLD_FAILURES_H_

#include <cstddef>
#include <list>
#include <optional>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "common/clock.h"
#include "common/ids.h"
#include "transfer_agent/worker/worker_context.h"

namespace baton::worker {

struct UntoldFailure {
  RoomKey room;
  RankRef target;      // that failed
  std::string server;  // name or alias
  // Nullopt: nobody said which dp rank has the room, so all are told.
  std::optional<uint32_t> dp;
  absl::Status cause;
  TimePoint until;
  TimePoint opened;
  uint64_t serial = 0;  // as that of an offer
  std::set<RankCoord> told = {};
};

class UntoldFailures {
 public:
  explicit UntoldFailures(WorkerContext* context) : context_(context) {}

  // Tells the sources that are known, dials the others, and keeps it until all are told.
  void Add(UntoldFailure failure, TimePoint now);
  // The rank uses the room's id again: nobody waits for the earlier use.
  void Forget(const RankRef& target, const RoomKey& room) {
    failures_.remove_if([&](const UntoldFailure& failure) {
      return failure.room == room && failure.target == target;
    });
  }
  // Servers or ranks are known that were not.
  void OnNews(TimePoint now);

  size_t size() const { return failures_.size(); }

 private:
  static constexpr size_t kMax = 1024;

  // True: nobody is left to be told.
  bool Tell(UntoldFailure& failure, TimePoint now);
  bool TellRank(const UntoldFailure& failure, const RemoteRank& source, TimePoint now);

  WorkerContext* const context_;
  std::list<UntoldFailure> failures_;  // oldest first
};

}  // namespace baton::worker

#endif  // BATON_TRANSFER_AGENT_WORKER_UNTOLD_FAILURES_H_

#include "tests/simulation/history.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "tests/simulation/cluster.h"
#include "tests/simulation/faults.h"
#include "tests/simulation/router.h"

namespace baton::sim {
namespace {

constexpr Duration kComesUp = 300 * kMilli;
constexpr Duration kTroubles = 5 * kSecond;  // requests and faults
constexpr Duration kMends = 14 * kSecond;    // the longest deadline, and the longest backoff
constexpr Duration kProbes = 2 * kSecond;

class History {
 public:
  History(uint64_t seed, bool trace)
      : world_(seed, trace),
        checker_(&world_),
        cluster_(&world_, &checker_),
        router_(&cluster_, &checker_),
        faults_(&cluster_, [this](const std::vector<const Process*>& dead) {
          router_.NoteDisturbed(faults_.disturbances());
          router_.OnDeath(dead);
        }) {
    checker_.SetAwake([this](const Leg& leg) { return Awake(leg); });
    checker_.SetBeforeJudging([this] { router_.NoteDisturbed(faults_.disturbances()); });
  }

  Outcome Run() {
    Pass(kComesUp);
    const TimePoint begin = world_.now();
    const uint64_t requests = 3 + world_.random.Below(6);
    for (uint64_t i = 0; i < requests; ++i) {
      world_.At(begin + world_.random.Between(Duration(0), kTroubles), [this] { router_.Send(); });
    }
    PlanFaults(begin);
    Pass(kTroubles);
    cluster_.Mend();
    Pass(kMends);
    if (checker_.violation().empty()) checker_.CheckAllOver(router_.requests());
    router_.SendProbes();
    Pass(kProbes);
    if (!checker_.violation().empty()) return Judge();
    router_.CheckProbes();
    if (std::string left = cluster_.Leftovers(); !left.empty()) {
      checker_.Violated("NoLeak: " + left);
    }
    return Judge();
  }

 private:
  // Since when nothing has stood in the agent's way.
  std::optional<TimePoint> Awake(const Leg& leg) {
    const Agent* agent = leg.engine->agent();
    if (agent == nullptr || !agent->process()->alive || agent->process()->stopped) {
      return std::nullopt;
    }
    return std::max(agent->process()->woke, cluster_.network().healed(agent->process()->host));
  }

  // Some near a request, where they meet a room in every state; some anywhere.
  void PlanFaults(TimePoint begin) {
    const uint64_t faults = world_.random.Below(5);
    for (uint64_t i = 0; i < faults; ++i) {
      const TimePoint at = begin + world_.random.Between(Duration(0), kTroubles);
      faults_.Plan(at);
      if (world_.random.Chance(70)) {
        const Duration before = world_.random.Between(Duration(0), 20 * kMilli);
        world_.At(at - before, [this] { router_.Send(); });
      }
    }
  }

  void Pass(Duration duration) {
    const TimePoint until = world_.now() + duration;
    while (checker_.violation().empty() && world_.Step(until)) {
    }
  }

  Outcome Judge() {
    Outcome outcome;
    outcome.violation = checker_.violation();
    outcome.digest = world_.digest();
    outcome.steps = world_.steps();
    outcome.requests = router_.requests().size();
    outcome.faults = faults_.injected();
    outcome.rooms_done = checker_.rooms_done;
    outcome.rooms_failed = checker_.rooms_failed;
    outcome.clean_requests = checker_.clean_rooms;
    outcome.quarantined = checker_.quarantined;
    outcome.flipped = checker_.flipped;
    outcome.agents = cluster_.all_agents().size();
    outcome.abort_times = std::move(checker_.abort_times);
    return outcome;
  }

  World world_;
  Checker checker_;
  Cluster cluster_;
  Router router_;
  Faults faults_;
};

}  // namespace

Outcome RunHistory(uint64_t seed, bool trace) { return History(seed, trace).Run(); }

}  // namespace baton::sim

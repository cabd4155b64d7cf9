#include "tests/simulation/history.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "tests/simulation/cluster.h"
#include "tests/simulation/engine.h"
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
    checker_.SetOnLastSent([this](const Leg& leg) { MaybeLoseChannels(leg); });
    checker_.SetRegistryLost([this](TimePoint since) {
      const ProcessPtr& process = cluster_.bootstrap().process();
      return !process->alive || cluster_.bootstrap().started() > since;
    });
    checker_.SetBeforeJudging([this] { router_.NoteDisturbed(faults_.disturbances()); });
  }

  Outcome Run() {
    Pass(kComesUp);
    const TimePoint begin = world_.now();
    const uint64_t requests = (cluster_.crowded() ? 12 : 3) + world_.random.Below(6);
    for (uint64_t i = 0; i < requests; ++i) {
      world_.At(begin + world_.random.Between(Duration(0), kTroubles), [this] { router_.Send(); });
    }
    PlanFaults(begin);
    Pass(kTroubles);
    mended_ = true;
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
    if (world_.random.Chance(cluster_.crowded() ? 60 : 2)) {
      faults_.PlanLongDeath(begin + world_.random.Between(Duration(0), kSecond));
    }
    loses_channels_ = world_.random.Chance(cluster_.path().kind == PathKind::kWritten ? 10 : 6);
    const uint64_t faults = world_.random.Below(cluster_.crowded() ? 2 : 5);
    for (uint64_t i = 0; i < faults; ++i) {
      const TimePoint at = begin + world_.random.Between(Duration(0), kTroubles);
      faults_.Plan(at);
      if (world_.random.Chance(70)) {
        const Duration before = world_.random.Between(Duration(0), 20 * kMilli);
        world_.At(at - before, [this] { router_.Send(); });
      }
    }
  }

  // When everything was handed over: what was under way is lost, and one end alone sees it.
  void MaybeLoseChannels(const Leg& leg) {
    if (!loses_channels_ || mended_ || !world_.random.Chance(30)) return;
    Leg& target = *leg.request->legs.back();
    // With an abort, now and then: what is under way must not meet pages that were released.
    const bool written = cluster_.path().kind == PathKind::kWritten;
    if (written && leg.request->quirk == Quirk::kNone && world_.random.Chance(50)) {
      leg.request->quirk = Quirk::kAborts;
      world_.After(world_.random.Between(Duration(0), 20 * kMilli), [this, &target] {
        if (!mended_ && target.engine != nullptr) target.engine->Abort(&target);
      });
    }
    world_.After(world_.random.Between(Duration(0), kMilli),
                 [this, a = cluster_.HostOf(leg), b = cluster_.HostOf(target)] {
                   if (!mended_) faults_.LoseChannels(a, b);
                 });
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
    outcome.moved = checker_.moved;
    outcome.without_rail = checker_.without_rail;
    outcome.agents = cluster_.all_agents().size();
    outcome.figures = checker_.figures;
    outcome.abort_times = std::move(checker_.abort_times);
    return outcome;
  }

  World world_;
  Checker checker_;
  Cluster cluster_;
  Router router_;
  Faults faults_;
  bool loses_channels_ = false;
  bool mended_ = false;
};

}  // namespace

Outcome RunHistory(uint64_t seed, bool trace) { return History(seed, trace).Run(); }

}  // namespace baton::sim

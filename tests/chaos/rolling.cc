// A rolling restart of everything under load: each pod, the bootstrap service, and one pod that is
// killed. Rooms may fail that involve the pod whose turn it is and reach it while it drains or
// after; of no other.
#include "tests/chaos/chaos.h"

namespace baton::chaos {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kStepMax{60};
// The agent's default of ten seconds, and its own end.
constexpr seconds kDrainMax{15};
constexpr uint32_t kKilledPod = 1;

}  // namespace

absl::Status Chaos::AwaitAllWell() {
  auto unwell = [this] {
    const TimePoint now = Monotonic::now();
    bool well = bootstrap_.up() && now - bootstrap_well_since_ >= seconds(8);
    for (uint32_t pod = 0; pod < kPods; ++pod) well = well && IsWell(pod, now);
    return !well;
  };
  auto done = RunWhile(true, Monotonic::now() + kStepMax, unwell);
  if (done.ok() && !*done) ledger_.Violation("after a restart not all were well in time");
  return done.status();
}

// As Kubernetes ends a pod: the agent is told first here, with all of its rooms still running; it
// ends by itself once they have. Then the engine goes, and both start anew.
absl::Status Chaos::RestartPod(uint32_t pod) {
  Fault drain;
  drain.kind = FaultKind::kDrainAgent;
  drain.pod = pod;
  drain.lasts = seconds(600);  // not before its engine is gone too
  ++faults_[drain.kind];
  pods_[pod]->Suffer(drain, Monotonic::now());
  ledger_.Draining(pod, Monotonic::now());
  auto ended = RunWhile(true, Monotonic::now() + kDrainMax,
                        [this, pod] { return !pods_[pod]->agent_dead(); });
  if (!ended.ok()) return ended.status();
  if (!*ended) ledger_.Violation(pods_[pod]->agent().name() + " did not end within its drain time");
  Fault gone;
  gone.kind = FaultKind::kKillServer;
  gone.pod = pod;
  gone.lasts = milliseconds(300);
  HitWith(gone, Monotonic::now());
  pods_[pod]->StartAgentNow();
  return AwaitAllWell();
}

absl::Status Chaos::RollEverything() {
  absl::Status status = AwaitAllWell();
  for (uint32_t pod = 0; pod < kPods && status.ok(); ++pod) status = RestartPod(pod);
  if (!status.ok()) return status;
  Fault restart;
  restart.kind = FaultKind::kRestartBootstrap;
  HitWith(restart, Monotonic::now());
  status = AwaitAllWell();
  if (!status.ok()) return status;
  Fault kill;
  kill.kind = FaultKind::kKillPod;
  kill.pod = kKilledPod;
  kill.lasts = milliseconds(300);
  HitWith(kill, Monotonic::now());
  return AwaitAllWell();
}

}  // namespace baton::chaos

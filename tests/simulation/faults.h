// Faults of a history: which, when, to whom and for how long is drawn from its seed.
#ifndef BATON_TESTS_SIMULATION_FAULTS_H_
#define BATON_TESTS_SIMULATION_FAULTS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "tests/simulation/cluster.h"

namespace baton::sim {

enum class FaultKind : uint8_t {
  kKillAgent,
  kKillEngine,
  kKillPod,
  kRestartServer,
  kKillBootstrap,
  kStopAgent,
  kStopEngine,
  kStopBootstrap,
  kCutPods,
  kCutBootstrap,
  kBreakConnections,
  kLoseRail,
  kSlowPod,
  kDrainAgent,
  kJumpClock,
  kKinds,
};

// What a fault touches, and for how long.
struct Disturbance {
  // Of these pods, and their agents.
  std::vector<uint32_t> hosts = {};
  // The path between two pods alone: who has a rank on each side of it.
  bool pair = false;
  // A connection was lost, and nothing else.
  bool only_broken = false;
  // This rail of the first of the hosts alone.
  std::optional<uint32_t> rail = {};
  // Of these engines alone.
  std::vector<RankRef> ranks = {};
  // Whoever has to ask the registry.
  bool registry = false;
  TimePoint from = {};
  TimePoint until = {};
};

class Faults {
 public:
  // `involved` is told of a death: the hosts, and whether ranks of one server alone (else null).
  using OnDeath = std::function<void(const std::vector<const Process*>&)>;

  Faults(Cluster* cluster, OnDeath on_death)
      : cluster_(cluster), world_(cluster->world()), on_death_(std::move(on_death)) {}

  // One fault, at `when`.
  void Plan(TimePoint when);
  // An agent dies and is not back before all is mended.
  void PlanLongDeath(TimePoint when);
  // The data connections between two pods, of which the dialling ends alone take notice.
  void LoseChannels(uint32_t a, uint32_t b);
  const std::vector<Disturbance>& disturbances() const { return disturbances_; }
  uint64_t injected() const { return injected_; }

 private:
  void Inject(FaultKind kind);
  // From now on.
  void Disturb(Disturbance what, Duration duration);
  uint32_t SomePod() { return world_.random.Below(cluster_->pods()); }
  Server& SomeServer() {
    return cluster_->servers()[world_.random.Below(cluster_->servers().size())];
  }
  void KillAgent(uint32_t host, Duration back);
  void KillEngine(Server* server, size_t index, Duration back);
  void KillPod(uint32_t host, Duration back);
  void RestartServer(Server* server);
  void KillBootstrap(Duration back);
  void StopProcess(const ProcessPtr& process, Duration duration);
  void Break(uint32_t a, uint32_t b);
  void Cut(uint32_t a, uint32_t b, Duration duration);
  void LoseRail(uint32_t host, Duration duration);
  void DrainAgent(uint32_t host);
  void AwaitLeave(uint32_t host, Agent* agent, TimePoint until);

  Cluster* const cluster_;
  World& world_;
  const OnDeath on_death_;
  std::vector<Disturbance> disturbances_;
  uint64_t injected_ = 0;
};

}  // namespace baton::sim

#endif  // BATON_TESTS_SIMULATION_FAULTS_H_

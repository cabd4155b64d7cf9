#include "tests/simulation/faults.h"

#include <utility>

namespace baton::sim {
namespace {

// What was under way when a path was whole again, or a process woke, has arrived by then. Whether
// parties that were killed have found each other again is asked of them: Router::AllReady.
constexpr Duration kAftermath = 500 * kMilli;
// Who asks the registry may be waiting for the next try.
constexpr Duration kRegistryAftermath = 6 * kSecond;
constexpr Duration kForGood = 60 * kSecond;
// How long an agent that leaves waits for its peers to have heard.
constexpr Duration kLeaves = 300 * kMilli;

}  // namespace

void Faults::Plan(TimePoint when) {
  const auto kind =
      static_cast<FaultKind>(world_.random.Below(static_cast<uint64_t>(FaultKind::kKinds)));
  world_.At(when, [this, kind] { Inject(kind); });
}

void Faults::PlanLongDeath(TimePoint when) {
  world_.At(when, [this, host = SomePod()] {
    ++injected_;
    KillAgent(host, kForGood);
  });
}

void Faults::LoseChannels(uint32_t a, uint32_t b) {
  if (a == b) return;
  ++injected_;
  world_.Trace("lose channels of ", a, " and ", b);
  Disturb({.hosts = {a, b}, .pair = true, .only_broken = true}, Duration(0));
  cluster_->network().BreakBetween(a, b, 100, SimTransport::kDataPort, /*half_open=*/true);
}

void Faults::Disturb(Disturbance what, Duration duration) {
  what.from = world_.now();
  what.until = what.from + duration + (what.registry ? kRegistryAftermath : kAftermath);
  disturbances_.push_back(std::move(what));
}

void Faults::Inject(FaultKind kind) {
  ++injected_;
  Random& random = world_.random;
  // Shorter and longer than leases, silences and deadlines.
  const Duration duration = random.Chance(50) ? random.Between(kMilli, 500 * kMilli)
                                              : random.Between(500 * kMilli, 6 * kSecond);
  const uint32_t pod = SomePod();
  Server& server = SomeServer();
  const size_t index = random.Below(server.coords.size());
  switch (kind) {
    case FaultKind::kKillAgent:
      return KillAgent(pod, duration);
    case FaultKind::kKillEngine:
      return KillEngine(&server, index, duration);
    case FaultKind::kKillPod:
      return KillPod(pod, duration);
    case FaultKind::kRestartServer:
      return RestartServer(&server);
    case FaultKind::kKillBootstrap:
      return KillBootstrap(duration);
    case FaultKind::kStopAgent:
      Disturb({.hosts = {pod}}, duration);
      return StopProcess(cluster_->agent(pod)->process(), duration);
    case FaultKind::kStopEngine:
      Disturb({.ranks = {{server.name, server.coords[index]}}}, duration);
      return StopProcess(server.engines[index]->process(), duration);
    case FaultKind::kStopBootstrap:
      Disturb({.registry = true}, duration);
      return StopProcess(cluster_->bootstrap().process(), duration);
    case FaultKind::kCutPods:
      return Cut(pod, SomePod(), duration);
    case FaultKind::kCutBootstrap:
      return Cut(pod, cluster_->bootstrap_host(), duration);
    case FaultKind::kBreakConnections:
      return Break(pod, random.Chance(20) ? cluster_->bootstrap_host() : SomePod());
    case FaultKind::kLoseRail:
      return LoseRail(pod, duration);
    case FaultKind::kSlowPod:
      world_.Trace("slow pod ", pod);
      Disturb({.hosts = {pod}}, duration);
      cluster_->network().SetSlow(pod, 10 + random.Below(200));
      return world_.After(duration, [this, pod] { cluster_->network().SetSlow(pod, 1); });
    case FaultKind::kDrainAgent:
      return DrainAgent(pod);
    case FaultKind::kJumpClock:
      return cluster_->bootstrap().JumpClock(static_cast<int64_t>(random.Below(7'200'000)) -
                                             3'600'000);
    case FaultKind::kKinds:
      return;
  }
}

void Faults::KillAgent(uint32_t host, Duration back) {
  Disturb({.hosts = {host}}, back);
  const Process* dead = cluster_->agent(host)->process().get();
  on_death_({dead});
  cluster_->KillAgent(host);
  world_.After(back, [this, host] { cluster_->StartAgent(host); });
}

void Faults::KillEngine(Server* server, size_t index, Duration back) {
  Disturb({.ranks = {{server->name, server->coords[index]}}}, back);
  on_death_({server->engines[index]->process().get()});
  world_.Kill(server->engines[index]->process());
  // Alone, as a part of the same launch, or with all the others as another.
  const bool alone = world_.random.Chance(40);
  world_.After(back, [this, server, index, alone] {
    if (alone) return cluster_->StartEngine(server, index);
    RestartServer(server);
  });
}

void Faults::KillPod(uint32_t host, Duration back) {
  Disturb({.hosts = {host}}, back);
  std::vector<ProcessPtr> dying = {cluster_->agent(host)->process()};
  for (Server& server : cluster_->servers()) {
    for (size_t i = 0; i < server.hosts.size(); ++i) {
      if (server.hosts[i] == host) dying.push_back(server.engines[i]->process());
    }
  }
  std::vector<const Process*> dead;
  for (const ProcessPtr& process : dying) dead.push_back(process.get());
  on_death_(dead);
  for (const ProcessPtr& process : dying) world_.Kill(process);
  world_.After(back, [this, host] {
    cluster_->StartAgent(host);
    for (Server& server : cluster_->servers()) {
      for (size_t i = 0; i < server.hosts.size(); ++i) {
        if (server.hosts[i] == host) cluster_->StartEngine(&server, i);
      }
    }
  });
}

void Faults::RestartServer(Server* server) {
  std::vector<RankRef> ranks;
  for (const RankCoord& coord : server->coords) ranks.push_back({server->name, coord});
  Disturb({.ranks = std::move(ranks)}, Duration(0));
  std::vector<const Process*> dead;
  for (const Engine* engine : server->engines) dead.push_back(engine->process().get());
  on_death_(dead);
  cluster_->RestartServer(server);
}

void Faults::KillBootstrap(Duration back) {
  Disturb({.registry = true}, back);
  if (!cluster_->bootstrap().process()->alive) return;
  world_.Kill(cluster_->bootstrap().process());
  world_.After(back, [this] {
    if (!cluster_->bootstrap().process()->alive) cluster_->StartBootstrap(/*first=*/false);
  });
}

void Faults::StopProcess(const ProcessPtr& process, Duration duration) {
  world_.Stop(process);
  world_.After(duration, [this, process] { world_.Wake(process); });
}

void Faults::Cut(uint32_t a, uint32_t b, Duration duration) {
  if (a == b) return;
  world_.Trace("cut ", a, " from ", b);
  const bool registry = b == cluster_->bootstrap_host();
  Disturb({.hosts = {a, b}, .pair = true, .registry = registry}, duration);
  cluster_->network().SetCut(a, b, true);
  world_.After(duration, [this, a, b] { cluster_->network().SetCut(a, b, false); });
}

void Faults::Break(uint32_t a, uint32_t b) {
  world_.Trace("break connections of ", a, " and ", b);
  const bool registry = b == cluster_->bootstrap_host();
  // A cut control stream costs time and nothing else: what was said is said again.
  const bool control = !registry && world_.random.Chance(40);
  const uint32_t percent = 20 + world_.random.Below(81);
  if (control) return cluster_->network().BreakBetween(a, b, percent, Agent::kControlPort);
  Disturb({.hosts = {a, b}, .pair = true, .only_broken = !registry, .registry = registry},
          Duration(0));
  cluster_->network().BreakBetween(a, b, percent, "");
}

// Its agent sees the port go and come; its peers see nothing.
void Faults::LoseRail(uint32_t host, Duration duration) {
  if (cluster_->path().kind != PathKind::kWritten) return Break(host, SomePod());
  const uint32_t rail = world_.random.Below(cluster_->path().rails);
  if (!cluster_->network().RailIsUp(host, rail)) return;
  world_.Trace("lose rail ", rail, " of pod ", host);
  Disturb({.hosts = {host}, .rail = rail}, duration);
  cluster_->network().SetRail(host, rail, false);
  world_.After(kPortGrace, [this, host] {
    Agent* agent = cluster_->agent(host);
    world_.Run(agent->process(), [agent] { agent->Wake(); });
  });
  world_.After(duration, [this, host, rail] {
    world_.Trace("rail ", rail, " of pod ", host, " is back");
    cluster_->network().SetRail(host, rail, true);
  });
}

void Faults::DrainAgent(uint32_t host) {
  Agent* agent = cluster_->agent(host);
  const Duration drain = world_.random.Between(kMilli, 3 * kSecond);
  Disturb({.hosts = {host}}, drain + kLeaves);
  world_.Trace("drain ", agent->process()->name);
  world_.Run(agent->process(), [agent] { agent->BeginDrain(); });
  world_.After(drain, [this, host, agent] {
    if (cluster_->agent(host) != agent) return;
    if (agent->process()->alive) on_death_({agent->process().get()});
    world_.RunAfter(agent->process(), kMicro, [agent] { agent->Leave(); });
    AwaitLeave(host, agent, world_.now() + kLeaves);
  });
}

// As Links::Leave: until all have ended their links, for a time.
void Faults::AwaitLeave(uint32_t host, Agent* agent, TimePoint until) {
  if (cluster_->agent(host) != agent) return;
  const bool gone = agent->HasLeft() && !agent->HasLinks();
  if (!gone && world_.now() < until) {
    return world_.After(kMilli, [this, host, agent, until] { AwaitLeave(host, agent, until); });
  }
  cluster_->KillAgent(host);
  cluster_->StartAgent(host);
}

}  // namespace baton::sim

#include "tests/demo/runner/scenario.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/reason.h"
#include "tests/demo/content/pool_layout.h"
#include "tests/demo/runner/route_source.h"

namespace baton::demo {
namespace {

constexpr uint32_t kRoomsMax = 64;
constexpr uint64_t kPoolTokensMax = 16384;

absl::StatusOr<ServerPlan> PlanServer(const Scenario& scenario, v1::Role role,
                                      const std::string& text) {
  absl::StatusOr<Topology> topology = ParseTopology(text);
  if (!topology.ok()) return topology.status();
  ServerPlan plan;
  plan.role = role;
  plan.name = role == v1::ROLE_PREFILL ? "prefill" : "decode";
  plan.topology = text;
  plan.ranks = RanksOf(topology->sizes);
  // Wrong stages are found here rather than by the engines.
  auto spec = BuildSpec(*FindPreset(scenario.preset), *topology);
  if (!spec.ok()) return spec.status();
  return plan;
}

uint64_t PoolBytes(const std::string& preset, const ServerPlan& plan, uint64_t tokens) {
  const Topology topology = *ParseTopology(plan.topology);
  const planner::ServerSpec spec = *BuildSpec(*FindPreset(preset), topology);
  uint64_t bytes = 0;
  for (const RankCoord& rank : plan.ranks) {
    Ownership ownership(&spec, rank);
    PoolLayout pool = LayOut(ownership, topology.order, SizesFor(ownership, tokens, kRoomsMax));
    for (uint64_t size : pool.region_sizes) bytes += size;
  }
  return bytes;
}

// As many tokens as fit; 0 when not even a few do.
uint64_t TokensThatFit(const Scenario& scenario, const std::vector<ServerPlan>& servers,
                       uint64_t bytes_max) {
  for (uint64_t tokens = kPoolTokensMax; tokens >= 64; tokens = tokens * 3 / 4) {
    uint64_t bytes = 0;
    for (const ServerPlan& server : servers) bytes += PoolBytes(scenario.preset, server, tokens);
    if (bytes <= bytes_max) return tokens;
  }
  return 0;
}

void PrintProgress(const Progress& progress) {
  std::printf("  %4.1f s  rooms %llu (%llu in flight)  %.2f GB  %.2f GB/s  %llu failed\n",
              progress.seconds, static_cast<unsigned long long>(progress.so_far->rooms),
              static_cast<unsigned long long>(progress.in_flight), progress.so_far->bytes / 1e9,
              progress.gigabytes_per_second,
              static_cast<unsigned long long>(progress.so_far->failed));
  std::fflush(stdout);
}

absl::StatusOr<std::vector<ServerPlan>> PlanServers(const Scenario& scenario) {
  std::vector<ServerPlan> servers;
  for (v1::Role role : {v1::ROLE_PREFILL, v1::ROLE_DECODE}) {
    const bool prefill = role == v1::ROLE_PREFILL;
    auto plan = PlanServer(scenario, role, prefill ? scenario.prefill : scenario.decode);
    if (!plan.ok()) return plan.status();
    servers.push_back(*std::move(plan));
  }
  return servers;
}

ClusterOptions MakeClusterOptions(const Scenario& scenario, const ScenarioSettings& settings,
                                  const std::vector<ServerPlan>& servers, uint64_t pool_tokens) {
  ClusterOptions options;
  options.programs = settings.programs;
  options.folder = settings.folder;
  options.bootstrap_listen = settings.bootstrap_listen;
  options.host = settings.host;
  options.prefill_on = settings.prefill_on;
  options.decode_on = settings.decode_on;
  options.bootstrap = settings.bootstrap;
  options.attach_socket = settings.attach_socket;
  options.silence_ms = settings.silence_ms;
  options.transport = scenario.transport;
  options.checksums = settings.checksums;
  options.preset = scenario.preset;
  options.servers = servers;
  options.pool_tokens = pool_tokens;
  options.rooms_max = kRoomsMax;
  options.seed = settings.seed;
  return options;
}

RunOptions MakeRunOptions(const Scenario& scenario, const ScenarioSettings& settings,
                          uint64_t pool_tokens) {
  RunOptions options;
  options.duration = scenario.duration;
  options.rooms_max = scenario.rooms_max;
  options.rooms_in_flight_max = std::min<uint64_t>(settings.rooms_in_flight_max, kRoomsMax);
  options.tokens_in_flight_max = pool_tokens * 3 / 4;
  options.draw.seed = settings.seed;
  options.draw.spread = scenario.spread;
  if (settings.corrupt) options.draw.corrupt_room = 3;
  return options;
}

}  // namespace

absl::StatusOr<ScenarioResult> RunScenario(const Scenario& scenario,
                                           const ScenarioSettings& settings) {
  auto planned = PlanServers(scenario);
  if (!planned.ok()) return planned.status();
  const std::vector<ServerPlan>& servers = *planned;
  const uint64_t pool_tokens = TokensThatFit(scenario, servers, settings.pool_bytes);
  if (pool_tokens == 0) {
    return Error(Reason::kConfig, absl::StrCat("--pool_mib: ", settings.pool_bytes >> 20,
                                               " MiB do not hold 64 tokens on every rank"));
  }
  auto cluster = Cluster::Start(MakeClusterOptions(scenario, settings, servers, pool_tokens));
  if (!cluster.ok()) return cluster.status();

  ScenarioResult result;
  for (const ServerPlan& server : servers) result.ranks += server.ranks.size();
  result.processes = (*cluster)->Links().size();
  result.pool_bytes = (*cluster)->pool_bytes();
  ArrivalOptions arrivals{settings.scale, settings.speed, std::max<uint64_t>(1, pool_tokens / 4)};
  auto guard = [&]() -> absl::Status {
    if (settings.interrupted()) return Error(Reason::kAborted, "interrupted");
    return (*cluster)->Check();
  };
  auto routes = MakeRouteSource({(*cluster)->bootstrap_address(), scenario.preset, settings.router,
                                 settings.folder + "/router.log"});
  if (!routes.ok()) return routes.status();
  auto pick = [&] { return (*routes)->Pick(); };
  Router router(pick, (*cluster)->Links(), Arrivals(settings.trace, arrivals),
                MakeRunOptions(scenario, settings, pool_tokens), PrintProgress, guard);
  result.run = router.Run();
  if (!result.run.ok()) result.agent_logs = (*cluster)->AgentLogs();
  auto totals = (*cluster)->Totals();
  if (totals.ok()) {
    result.agents = *std::move(totals);
  } else if (result.run.ok()) {
    return totals.status();
  }
  return result;
}

}  // namespace baton::demo

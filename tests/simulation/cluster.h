// Pods, servers and the bootstrap service of one history, and what can be done to them.
#ifndef BATON_TESTS_SIMULATION_CLUSTER_H_
#define BATON_TESTS_SIMULATION_CLUSTER_H_

#include <memory>
#include <string>
#include <vector>

#include "tests/simulation/agent.h"
#include "tests/simulation/bootstrap.h"
#include "tests/simulation/checker.h"
#include "tests/simulation/engine.h"

namespace baton::sim {

struct Server {
  std::string name;
  Role role = Role::kPrefill;
  RankCoord sizes;
  std::vector<RankCoord> coords;
  std::vector<uint32_t> hosts;   // beside coords
  std::vector<Engine*> engines;  // the latest start of each
  uint64_t launches = 0;
  std::string launch_id() const { return absl::StrCat(name, "-", launches); }
};

class Cluster {
 public:
  // Draws topologies and where ranks live.
  Cluster(World* world, Checker* checker);
  ~Cluster();

  World& world() { return *world_; }
  Network& network() { return network_; }
  Bootstrap& bootstrap() { return bootstrap_; }
  uint32_t pods() const { return pods_; }
  uint32_t bootstrap_host() const { return pods_; }
  const PathTraits& path() const { return path_; }
  // Many servers, with many rooms that take seconds each.
  bool crowded() const { return crowded_; }
  std::vector<Server>& servers() { return servers_; }
  uint32_t HostOf(const Leg& leg) const;
  Agent* agent(uint32_t host) { return agents_[host]; }
  const std::vector<std::unique_ptr<Agent>>& all_agents() const { return all_agents_; }

  void StartAgent(uint32_t host);
  // Engines that run on the pod notice by themselves.
  void KillAgent(uint32_t host);
  void StartEngine(Server* server, size_t index);
  // A new launch of all ranks; what runs of the old one is killed.
  void RestartServer(Server* server);
  void StartBootstrap(bool first) { bootstrap_.Start(first); }
  // Every process that is not there is started, whoever sleeps wakes, every path is whole.
  void Mend();

  // Nothing of rooms is left anywhere. Empty, or what is.
  std::string Leftovers();
  // The registry against what is true; a violation otherwise.
  void CheckRegistry();

 private:
  PathTraits DrawPath();
  void AddServer(const std::string& name, Role role);
  void WatchDeath(Agent* agent);
  void WatchGoodbye(Agent* agent);
  // Nothing stood in the way of what was said then.
  bool Heard(const Agent& by, const Agent& from, TimePoint said) const;

  World* const world_;
  Checker* const checker_;
  uint32_t pods_ = 0;
  bool mended_ = false;
  Network network_;
  const PathTraits path_;
  const bool crowded_;
  Bootstrap bootstrap_;
  std::vector<Server> servers_;
  std::vector<Agent*> agents_;  // the latest start on each pod
  // All starts, dead ones too: what is under way to them finds nobody, not freed memory.
  std::vector<std::unique_ptr<Agent>> all_agents_;
  std::vector<std::unique_ptr<Engine>> all_engines_;
  struct Life {
    Agent* agent = nullptr;
    TimePoint died = TimePoint::max();
    TimePoint left = TimePoint::max();
  };
  std::map<Epoch, Life> epochs_;
};

}  // namespace baton::sim

#endif  // BATON_TESTS_SIMULATION_CLUSTER_H_

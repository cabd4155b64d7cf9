#include "client/ctl/agents.h"

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

#include "common/reason.h"

namespace baton::ctl {

std::vector<std::string> AgentsOf(const v1::ListServersResponse& servers) {
  std::set<std::string> addresses;
  for (const v1::ServerRecord& server : servers.servers()) {
    for (const v1::RankRecord& rank : server.ranks()) addresses.insert(rank.agent_address());
  }
  return {addresses.begin(), addresses.end()};
}

absl::StatusOr<std::vector<std::string>> AllAgents(Services* services) {
  auto servers = services->ListServers({});
  if (!servers.ok()) return servers.status();
  std::vector<std::string> agents = AgentsOf(*servers);
  if (agents.empty()) {
    return Error(Reason::kUnknownServer,
                 "the bootstrap service knows no agent: no rank is registered");
  }
  return agents;
}

void InParallel(size_t count, const std::function<void(size_t)>& fn) {
  constexpr size_t kThreadsMax = 16;
  std::atomic<size_t> next{0};
  std::vector<std::thread> threads;
  for (size_t t = 0; t < std::min(count, kThreadsMax); ++t) {
    threads.emplace_back([&] {
      for (size_t i = next++; i < count; i = next++) fn(i);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace baton::ctl

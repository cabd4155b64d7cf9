#include "transfer_agent/service/status_page_source.h"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/mutex.h"
#include "common/version.h"
#include "transfer_agent/page/status_page.h"
#include "transfer_agent/service/ask_workers.h"

namespace baton::agent {
namespace {

constexpr auto kWorkerTimeout = std::chrono::seconds(1);
constexpr uint32_t kRoomsAsked = 1000;
constexpr size_t kFailuresOfWorker = 20;

// Written by the workers, one after the other; a late one still finds it.
struct Gathered {
  Mutex mu;
  PageInput input ABSL_GUARDED_BY(mu);
};

void AddRooms(const v1::ListRoomsResponse& rooms, PageInput* input) {
  size_t failures = 0;
  // The last ones that failed come last.
  for (auto it = rooms.rooms().rbegin(); it != rooms.rooms().rend(); ++it) {
    if (it->state() != "failed") {
      input->live.push_back(*it);
    } else if (++failures <= kFailuresOfWorker) {
      input->failed.push_back(*it);
    }
  }
}

void AddPeers(const Agent& agent, v1::AgentStatusResponse* status) {
  // Each worker names the paths it uses; a peer is listed once.
  std::map<std::pair<std::string, uint64_t>, std::string> paths;
  for (const v1::PeerStatus& peer : status->peers()) {
    paths[{peer.agent_address(), peer.epoch()}] = peer.transport();
  }
  status->clear_peers();
  for (const control::PeerLinkStatus& link : agent.Peers()) {
    v1::PeerStatus* peer = status->add_peers();
    peer->set_agent_address(link.peer.address);
    peer->set_epoch(link.peer.epoch.value());
    peer->set_state(link.up ? "up" : "down");
    peer->set_transport(paths[{link.peer.address, link.peer.epoch.value()}]);
  }
}

}  // namespace

admin::HttpAnswer StatusPageOf(Agent* agent) {
  auto gathered = std::make_shared<Gathered>();
  const bool answered = AskWorkers(
      agent->workers(),
      [gathered](worker::WorkerCore& core, TimePoint now) {
        v1::ListRoomsResponse rooms;
        core.DescribeRooms(/*failed_only=*/false, kRoomsAsked, now, &rooms);
        MutexLock lock(&gathered->mu);
        core.Describe(&gathered->input.status);
        AddRooms(rooms, &gathered->input);
      },
      kWorkerTimeout);
  PageInput input;
  {
    MutexLock lock(&gathered->mu);
    input = gathered->input;
  }
  input.health = agent->Health();
  if (!answered) {
    input.health.ready = false;
    absl::StrAppend(&input.health.why,
                    " A worker did not answer within a second: what it has is "
                    "not shown.");
  }
  v1::AgentStatusResponse& status = input.status;
  status.set_version(kVersionText);
  status.set_epoch(agent->epoch().value());
  status.set_address(agent->address());
  status.set_workers(agent->workers().size());
  for (std::string& warning : agent->Warnings()) status.add_warnings(std::move(warning));
  for (const v1::TransportStatus& transport : agent->transports()) {
    *status.add_transports() = transport;
  }
  AddPeers(*agent, &status);
  const auto stages = agent->Stages();
  for (size_t i = 0; i < stages.size(); ++i) {
    input.stages.push_back({std::string(worker::kStageNames[i]), stages[i]});
  }
  return {200, admin::kHtml, StatusPage(input)};
}

}  // namespace baton::agent

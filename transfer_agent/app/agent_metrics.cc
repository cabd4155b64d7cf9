// What Prometheus is told of the agent: read from counters, without a word to the workers.
#include <array>
#include <string>
#include <vector>

#include "common/metrics/scrape.h"
#include "common/version.h"
#include "transfer_agent/app/agent.h"

namespace baton::agent {
namespace {

using metrics::Metric;
using metrics::Scrape;
using worker::PathMetrics;
using worker::RoleMetrics;
using worker::WorkerMetrics;

using Workers = std::vector<const WorkerMetrics*>;

// The sum over all workers of what `pick` takes from one.
template <typename Pick>
double Sum(const Workers& workers, const Pick& pick) {
  uint64_t sum = 0;
  for (const WorkerMetrics* worker : workers) sum += pick(*worker).value();
  return static_cast<double>(sum);
}

template <typename Pick>
metrics::HistogramValues SumOf(const Workers& workers, const Pick& pick) {
  metrics::HistogramValues sum;
  for (const WorkerMetrics* worker : workers) sum.Add(pick(*worker).Read());
  return sum;
}

void AddRole(const Workers& workers, size_t role, Scrape* scrape) {
  const std::string name = ToString(worker::kRoles[role]);
  auto of = [role](const WorkerMetrics& w) -> const RoleMetrics& { return w.roles[role]; };
  scrape->Add(Metric::kTransfers, {name, "done", "OK"},
              Sum(
                  workers, [&](auto& w) -> auto& { return of(w).done; }));
  for (size_t i = 0; i < worker::kReasonCount; ++i) {
    const double failed = Sum(
        workers, [&](auto& w) -> auto& { return of(w).failed[i]; });
    const absl::string_view reason = ReasonName(static_cast<Reason>(i));
    if (failed > 0) scrape->Add(Metric::kTransfers, {name, "failed", reason}, failed);
    const double refused = Sum(
        workers, [&](auto& w) -> auto& { return of(w).refused[i]; });
    if (refused > 0) scrape->Add(Metric::kRefusedOpens, {name, reason}, refused);
  }
  scrape->Add(Metric::kTransferDuration, {name},
              SumOf(
                  workers, [&](auto& w) -> auto& { return of(w).duration; }));
  scrape->Add(Metric::kOpenRooms, {name},
              Sum(
                  workers, [&](auto& w) -> auto& { return of(w).open_rooms; }));
  scrape->Add(Metric::kHostedRanks, {name, "serving"},
              Sum(
                  workers, [&](auto& w) -> auto& { return of(w).serving; }));
  scrape->Add(Metric::kHostedRanks, {name, "waiting"},
              Sum(
                  workers, [&](auto& w) -> auto& { return of(w).waiting; }));
}

void AddPath(const Workers& workers, size_t path, absl::string_view name, Scrape* scrape) {
  auto sum = [&](metrics::Count PathMetrics::*member) {
    return Sum(
        workers, [&](auto& w) -> auto& { return w.paths[path].*member; });
  };
  scrape->Add(Metric::kTransferBytes, {"sent", name}, sum(&PathMetrics::bytes_sent));
  scrape->Add(Metric::kTransferBytes, {"landed", name}, sum(&PathMetrics::bytes_landed));
  scrape->Add(Metric::kCopiedBytes, {name}, sum(&PathMetrics::bytes_copied));
  scrape->Add(Metric::kStaleCompletions, {name}, sum(&PathMetrics::stale_dropped));
  scrape->Add(Metric::kPeerPaths, {name}, sum(&PathMetrics::peers));
  scrape->Add(Metric::kChannels, {name}, sum(&PathMetrics::channels));
  scrape->Add(Metric::kChannelFailures, {name}, sum(&PathMetrics::channel_failures));
}

}  // namespace

void Agent::AddRegistryMetrics(Scrape* scrape) const {
  for (size_t i = 0; i < worker::kReasonCount; ++i) {
    const uint64_t failures = registration_failures_[i].value();
    if (failures == 0) continue;
    scrape->Add(Metric::kRegistrationFailures, {ReasonName(static_cast<Reason>(i))},
                static_cast<double>(failures));
  }
  scrape->Add(Metric::kLeaseLosses, {}, static_cast<double>(lease_losses_.value()));
  std::array<uint64_t, 2> peers = {};
  for (const control::PeerLinkStatus& peer : Peers()) ++peers[peer.up ? 1 : 0];
  scrape->Add(Metric::kPeers, {"down"}, static_cast<double>(peers[0]));
  scrape->Add(Metric::kPeers, {"up"}, static_cast<double>(peers[1]));
}

std::array<metrics::HistogramValues, worker::kStages> Agent::Stages() const {
  std::array<metrics::HistogramValues, worker::kStages> stages;
  for (const auto& worker : workers_) {
    for (size_t i = 0; i < worker::kStages; ++i) {
      stages[i].Add(worker->metrics().stages[i].Read());
    }
  }
  return stages;
}

std::string Agent::Metrics() const {
  Workers workers;
  for (const auto& worker : workers_) workers.push_back(&worker->metrics());
  Scrape scrape(metrics::Program::kAgent);
  for (size_t role = 0; role < worker::kRoleCount; ++role) AddRole(workers, role, &scrape);
  const auto stages = Stages();
  for (size_t i = 0; i < stages.size(); ++i) {
    scrape.Add(Metric::kStageDuration, {worker::kStageNames[i]}, stages[i]);
  }
  size_t path = 0;
  for (const v1::TransportStatus& transport : transports_) {
    scrape.Add(Metric::kTransportOn, {transport.name()}, transport.on() ? 1 : 0);
    // Those that are on stand in the order of the workers' own.
    if (transport.on() && path < worker::kTransportsMax) {
      AddPath(workers, path++, transport.name(), &scrape);
    }
  }
  AddPorts(ports_, &scrape);
  scrape.Add(Metric::kRegisteredMemory, {},
             Sum(
                 workers, [](auto& w) -> auto& { return w.memory_bytes; }));
  AddRegistryMetrics(&scrape);
  scrape.Add(Metric::kHeldOffers, {},
             Sum(
                 workers, [](auto& w) -> auto& { return w.held_offers; }));
  scrape.Add(Metric::kHeldOfferBytes, {},
             Sum(
                 workers, [](auto& w) -> auto& { return w.held_offer_bytes; }));
  const Directory::RoomCounts rooms = directory_->rooms();
  scrape.Add(Metric::kRoomBindings, {}, static_cast<double>(rooms.bindings));
  scrape.Add(Metric::kRoomLookups, {}, static_cast<double>(rooms.lookups));
  scrape.Add(Metric::kWorkers, {}, static_cast<double>(workers.size()));
  scrape.Add(Metric::kWorkerBusy, {},
             1e-9 * Sum(
                        workers, [](auto& w) -> auto& { return w.busy_nanos; }));
  scrape.AddCommon("baton-agent", kVersionText, Health().ready);
  return scrape.Text();
}

}  // namespace baton::agent

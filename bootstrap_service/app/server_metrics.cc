// What Prometheus is told of the service.
#include "bootstrap_service/app/server_metrics.h"

#include <map>
#include <string>

#include "common/metrics/scrape.h"
#include "common/reason.h"
#include "common/version.h"

namespace baton::registry {
namespace {

using metrics::Metric;
using metrics::Scrape;

constexpr absl::string_view kCodes[kStatusCodes] = {
    "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED"};

void AddServers(const StoreStats& stats, Scrape* scrape) {
  // States without a server are told too: a graph of them falls to zero and does not end.
  for (Role role : {Role::kPrefill, Role::kDecode}) {
    uint64_t missing = 0;
    for (ServerPhase phase : {ServerPhase::kProvisional, ServerPhase::kRegistering,
                              ServerPhase::kReady, ServerPhase::kDraining}) {
      auto it = stats.servers.find({role, phase});
      const StoreStats::Tally tally = it == stats.servers.end() ? StoreStats::Tally() : it->second;
      const std::string name = ToString(role);
      scrape->Add(Metric::kServers, {name, Name(phase)}, static_cast<double>(tally.servers));
      scrape->Add(Metric::kRegisteredRanks, {name, Name(phase)}, static_cast<double>(tally.ranks));
      missing += tally.missing;
    }
    scrape->Add(Metric::kMissingRanks, {ToString(role)}, static_cast<double>(missing));
  }
}

void AddRpcs(const RpcMetrics& rpcs, Scrape* scrape) {
  scrape->Add(Metric::kRegistrations, {"OK"}, static_cast<double>(rpcs.registered()));
  for (size_t i = 0; i < kReasonCount; ++i) {
    if (rpcs.refused(i) == 0) continue;
    scrape->Add(Metric::kRegistrations, {ReasonName(static_cast<Reason>(i))},
                static_cast<double>(rpcs.refused(i)));
  }
  for (size_t rpc = 0; rpc < kRpcs; ++rpc) {
    for (size_t code = 0; code < kStatusCodes; ++code) {
      const metrics::HistogramValues values = rpcs.duration(rpc, code).Read();
      if (values.count() > 0) {
        scrape->Add(Metric::kRpcDuration, {kRpcNames[rpc], kCodes[code]}, values);
      }
    }
  }
}

}  // namespace

std::string BootstrapMetrics(const StoreStats& stats, const WatchHub& hub, const RpcMetrics& rpcs,
                             bool ready) {
  Scrape scrape(metrics::Program::kBootstrap);
  AddServers(stats, &scrape);
  AddRpcs(rpcs, &scrape);
  scrape.Add(Metric::kLeaseExpirations, {}, static_cast<double>(stats.lease_expirations));
  scrape.Add(Metric::kWatchers, {}, static_cast<double>(hub.watchers()));
  // Read after the revision, a watcher may already be ahead of it.
  const uint64_t sent = hub.oldest_published().value_or(stats.revision);
  scrape.Add(Metric::kWatchLag, {},
             static_cast<double>(stats.revision > sent ? stats.revision - sent : 0));
  scrape.Add(Metric::kWatchersDropped, {}, static_cast<double>(hub.dropped()));
  scrape.Add(Metric::kBoundRooms, {}, static_cast<double>(stats.bound_rooms));
  scrape.Add(Metric::kWaitingLookups, {}, static_cast<double>(stats.waiting_rooms));
  scrape.Add(Metric::kSettled, {}, stats.settled ? 1 : 0);
  scrape.AddCommon("baton-bootstrap", kVersionText, ready);
  return scrape.Text();
}

}  // namespace baton::registry

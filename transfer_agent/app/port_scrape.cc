#include "transfer_agent/app/port_scrape.h"

#include <algorithm>
#include <map>
#include <string>

namespace baton::agent {
namespace {

using metrics::Metric;
using transport::PortMetrics;

using Workers = std::vector<const PortMetrics*>;

void AddPort(const std::string& port, const Workers& workers, metrics::Scrape* scrape) {
  const auto sum = [&](const auto& pick) {
    uint64_t total = 0;
    for (const PortMetrics* worker : workers) total += pick(*worker).value();
    return static_cast<double>(total);
  };
  const bool active = std::all_of(workers.begin(), workers.end(),
                                  [](const PortMetrics* w) { return w->active.value() != 0; });
  scrape->Add(Metric::kPortActive, {port}, active ? 1 : 0);
  const auto of = [&](metrics::Count PortMetrics::*member) {
    return sum([member](const PortMetrics& w) -> const metrics::Count& { return w.*member; });
  };
  scrape->Add(Metric::kPortSentBytes, {port}, of(&PortMetrics::sent_bytes));
  scrape->Add(Metric::kPortPauses, {port}, of(&PortMetrics::pauses));
  scrape->Add(Metric::kQueuePairs, {port, "open"}, of(&PortMetrics::queue_pairs));
  scrape->Add(Metric::kQueuePairs, {port, "reset"}, of(&PortMetrics::in_reset));
  scrape->Add(Metric::kWorkRequests, {port}, of(&PortMetrics::in_flight));
  scrape->Add(Metric::kCreditWaits, {port}, of(&PortMetrics::credit_waits));
  for (size_t i = 0; i < transport::kCompletionErrors; ++i) {
    const double errors =
        sum([i](const PortMetrics& w) -> const metrics::Count& { return w.errors[i]; });
    if (errors == 0) continue;
    scrape->Add(Metric::kCompletionErrors, {port, transport::kCompletionErrorNames[i]}, errors);
  }
}

}  // namespace

void AddPorts(const PortMetricsList& ports, metrics::Scrape* scrape) {
  std::map<std::string, Workers> by_name;
  for (const auto& port : ports) by_name[port->port].push_back(port.get());
  for (const auto& [name, workers] : by_name) AddPort(name, workers, scrape);
}

}  // namespace baton::agent

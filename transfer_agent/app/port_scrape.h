// Device ports in the scrape.
#ifndef BATON_TRANSFER_AGENT_APP_PORT_SCRAPE_H_
#define BATON_TRANSFER_AGENT_APP_PORT_SCRAPE_H_

#include <memory>
#include <vector>

#include "common/metrics/scrape.h"
#include "transfer_agent/transport/port_metrics.h"

namespace baton::agent {

// Of all workers. Owned together with the transports, which the scrape may outlive.
using PortMetricsList = std::vector<std::shared_ptr<const transport::PortMetrics>>;

// What the workers count at the same port is added up; a port is active where it is for all.
void AddPorts(const PortMetricsList& ports, metrics::Scrape* scrape);

}  // namespace baton::agent

#endif  // BATON_TRANSFER_AGENT_APP_PORT_SCRAPE_H_

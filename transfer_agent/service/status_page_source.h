// Gathers what an agent's status page shows.
#ifndef BATON_TRANSFER_AGENT_SERVICE_STATUS_PAGE_SOURCE_H_
#define BATON_TRANSFER_AGENT_SERVICE_STATUS_PAGE_SOURCE_H_

#include "admin/http_server.h"
#include "transfer_agent/app/agent.h"

namespace baton::agent {

// Asks each worker once, and waits at most a second for each: what did not answer is left out and
// said. Thread-safe; `agent` is borrowed.
admin::HttpAnswer StatusPageOf(Agent* agent);

}  // namespace baton::agent

#endif  // BATON_TRANSFER_AGENT_SERVICE_STATUS_PAGE_SOURCE_H_

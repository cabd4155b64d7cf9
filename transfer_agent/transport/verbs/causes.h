// Why a queue pair failed, in words: which rail, which peer, what to look at.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_VERBS_CAUSES_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_VERBS_CAUSES_H_

#include <infiniband/verbs.h>

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "transfer_agent/transport/port_metrics.h"
#include "transfer_agent/transport/verbs/queue_pair.h"

namespace baton::transport::verbs {

// "verbs mlx5_0/1 to 10.0.0.7: no acknowledgement after all retries: ...".
std::string ExplainFailure(ibv_wc_status status, uint32_t vendor_error, const QueuePair& qp);
CompletionError ErrorOf(ibv_wc_status status);
// The own device failed, not the peer or the way to it.
bool IsOwnFault(ibv_wc_status status);
// Another queue pair would refuse the work request too.
bool IsRequestFault(ibv_wc_status status);
// "port is down: ...".
absl::string_view ExplainEvent(ibv_event_type type);

}  // namespace baton::transport::verbs

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_VERBS_CAUSES_H_

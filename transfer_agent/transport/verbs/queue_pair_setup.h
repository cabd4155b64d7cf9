// Makes queue pairs and brings them up. Slow path.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_VERBS_QUEUE_PAIR_SETUP_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_VERBS_QUEUE_PAIR_SETUP_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "transfer_agent/transport/verbs/message.h"
#include "transfer_agent/transport/verbs/options.h"
#include "transfer_agent/transport/verbs/queue_pair.h"
#include "transfer_agent/transport/verbs/rail.h"

namespace baton::transport::verbs {

// kLoop: connected to itself, to read back what came (flusher.h).
enum class QueueUse : uint8_t { kSource, kTarget, kLoop };

// The lengths of the queues of a queue pair, of a target's with so many memory windows.
QueueSizes SizesOf(const VerbsOptions& options, const Rail& rail, QueueUse use,
                   uint32_t windows = 0);

// A queue pair in INIT with a random packet sequence number, its completions reserved. FULL when
// the rail has no room for it.
absl::StatusOr<std::unique_ptr<QueuePair>> MakeQueuePair(Rail* rail, const QueueSizes& wanted,
                                                         QueueUse use, uint16_t place,
                                                         uint16_t generation);
// How the peer reaches it.
Endpoint EndpointOf(const QueuePair& qp);
// Through RTR to RTS, connected to the peer's end.
absl::Status Connect(const VerbsOptions& options, const Endpoint& peer, QueuePair* qp);

}  // namespace baton::transport::verbs

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_VERBS_QUEUE_PAIR_SETUP_H_

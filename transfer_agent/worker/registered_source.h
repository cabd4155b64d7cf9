// Who may be a source: the agent that the registry has for the rank, and nobody else. Any process
// that reaches the control port can announce any rank; believed is only what comes over a link that
// this agent dialled, to the address and of the start (epoch, incarnation) that are registered.
#ifndef BATON_TRANSFER_AGENT_WORKER_REGISTERED_SOURCE_H_
#define BATON_TRANSFER_AGENT_WORKER_REGISTERED_SOURCE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "transfer_agent/worker/worker_context.h"

namespace baton::worker {

// The rank as its registered agent announced it. NOT_READY says what is missing; a dial, or news of
// the registry, may bring it.
absl::StatusOr<std::shared_ptr<const RemoteRank>> RegisteredSource(const WorkerContext& context,
                                                                   const ServerView& server,
                                                                   const RankCoord& coord);

}  // namespace baton::worker

#endif  // BATON_TRANSFER_AGENT_WORKER_REGISTERED_SOURCE_H_

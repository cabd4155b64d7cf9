#include "transfer_agent/worker/registered_source.h"

#include "absl/strings/str_cat.h"
#include "common/reason.h"

namespace baton::worker {

absl::StatusOr<std::shared_ptr<const RemoteRank>> RegisteredSource(const WorkerContext& context,
                                                                   const ServerView& server,
                                                                   const RankCoord& coord) {
  const RankRef ref{server.name, coord};
  const auto address = server.addresses.find(coord);
  if (address == server.addresses.end()) {
    return Error(Reason::kNotReady, "it is not registered", ref);
  }
  // Of an agent that started again its former link may not be known to be down yet.
  const auto epoch = server.epochs.find(coord);
  const auto remote = context.remote_ranks.FindIf(ref, [&](const RemoteRank& rank) {
    const auto link = context.peers.find(rank.peer);
    return link != context.peers.end() && link->second.dialled &&
           link->second.address == address->second &&
           (epoch == server.epochs.end() || epoch->second == rank.epoch);
  });
  if (remote == nullptr) {
    return Error(Reason::kNotReady,
                 absl::StrCat("its agent at ", address->second, " has not announced it"), ref);
  }
  if (remote->incarnation != server.incarnation) {
    return Error(Reason::kNotReady,
                 absl::StrCat("it is of incarnation ", remote->incarnation.value(),
                              ", the registry has ", server.incarnation.value()),
                 ref);
  }
  return remote;
}

}  // namespace baton::worker

#include "transfer_agent/worker/registered_source.h"

#include "absl/strings/str_cat.h"
#include "common/reason.h"

namespace baton::worker {

absl::StatusOr<std::shared_ptr<const RemoteRank>> RegisteredSource(const WorkerContext& context,
                                                                   const ServerView& server,
                                                                   const RankCoord& coord) {
  const RankRef ref{server.name, coord};
  // No address: the rank has lost its lease, and its agent may be there still. This one dials none
  // but addresses that the registry gave it.
  const auto address = server.addresses.find(coord);
  const bool listed = address != server.addresses.end();
  const auto epoch = server.epochs.find(coord);
  bool other_start = false;
  const auto remote = context.remote_ranks.FindIf(ref, [&](const RemoteRank& rank) {
    const auto link = context.peers.find(rank.peer);
    const bool at_address = link != context.peers.end() && link->second.dialled &&
                            (!listed || link->second.address == address->second);
    const bool registered = epoch == server.epochs.end() || epoch->second == rank.epoch;
    other_start |= at_address && !registered;
    return at_address && registered;
  });
  if (remote == nullptr && !listed) {
    return Error(Reason::kNotReady, "it is not registered", ref);
  }
  if (remote == nullptr) {
    return Error(Reason::kNotReady,
                 absl::StrCat("its agent at ", address->second,
                              other_start ? " is of another start than the registry has"
                                          : " has not announced it"),
                 ref);
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

#include "transfer_agent/worker/registered_source.h"

#include "absl/strings/str_cat.h"
#include "common/reason.h"

namespace baton::worker {

absl::StatusOr<std::shared_ptr<const RemoteRank>> RegisteredSource(const WorkerContext& context,
                                                                   const ServerView& server,
                                                                   const RankCoord& coord) {
  const RankRef ref{server.name, coord};
  // Without a lease the rank has no address, and its agent may be there still: it is known by where
  // the registry last had it.
  const RankPlace* place = context.servers.FindPlace(server.name, coord);
  if (place == nullptr) return Error(Reason::kNotReady, "it is not registered", ref);
  bool other_start = false;
  const auto remote = context.remote_ranks.FindIf(ref, [&](const RemoteRank& rank) {
    const auto link = context.peers.find(rank.peer);
    const bool at_address = link != context.peers.end() && link->second.dialled &&
                            link->second.address == place->address;
    const bool registered = !place->epoch.has_value() || *place->epoch == rank.epoch;
    other_start |= at_address && !registered;
    return at_address && registered;
  });
  if (remote == nullptr && !server.addresses.contains(coord)) {
    return Error(Reason::kNotReady, "it is not registered", ref);
  }
  if (remote == nullptr) {
    return Error(Reason::kNotReady,
                 absl::StrCat("its agent at ", place->address,
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

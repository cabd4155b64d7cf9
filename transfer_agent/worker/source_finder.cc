#include "transfer_agent/worker/source_finder.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/reason.h"
#include "planner/plan.h"
#include "transfer_agent/worker/registered_source.h"

namespace baton::worker {

absl::Status CheckPair(const ServerView& server, const attach::AttachedRank& rank) {
  auto compare = [&](absl::string_view what, const std::string& theirs, const std::string& ours) {
    if (theirs.empty() || ours.empty() || theirs == ours) return absl::OkStatus();
    return Error(Reason::kIncompatible, absl::StrCat(what, " of ", server.name, " is ", theirs,
                                                     ", of ", rank.rank.server, " ", ours));
  };
  const auto label = rank.labels.find("revision");
  absl::Status status = compare("model", server.model, rank.model);
  if (status.ok() && label != rank.labels.end()) {
    status = compare("label revision", server.revision, label->second);
  }
  if (!status.ok()) return status;
  return server.role == Role::kPrefill ? planner::CheckCompatible(server.spec, rank.spec)
                                       : planner::CheckCompatible(rank.spec, server.spec);
}

absl::Status SourceFinder::CheckServer(const HostedRank& rank,
                                       const std::shared_ptr<const ServerView>& server,
                                       uint32_t dp) {
  if (server->role != Role::kPrefill) {
    return Error(Reason::kUnknownServer, absl::StrCat(server->name, " is a decode server"));
  }
  if (dp >= server->spec.sizes.dp) {
    return Error(Reason::kBadCoord, absl::StrCat("dp rank ", dp, " of ", server->name,
                                                 ", which has ", server->spec.sizes.dp));
  }
  const auto key = std::make_pair(server.get(), rank.attached->id);
  if (auto it = compatible_.find(key); it != compatible_.end()) return it->second.second;
  if (compatible_.size() > 1024) compatible_.clear();
  absl::Status status = CheckPair(*server, *rank.attached);
  compatible_[key] = {server, status};
  return status;
}

SourceCoords SourceFinder::CoordsOf(const HostedRank& rank, const ServerView& server, uint32_t dp,
                                    const planner::RoutePolicy& policy,
                                    const planner::RoomTokens& tokens) const {
  SourceCoords coords;
  const planner::ServerSpec& spec = rank.attached->spec;
  coords.senders = planner::SourcesOf(server.spec, dp, spec, rank.coord(), policy, tokens);
  if (planner::TellsSpares(rank.coord())) {
    coords.spares = planner::SpareSources(server.spec, dp, spec, rank.coord().dp, policy, tokens);
  }
  return coords;
}

std::vector<RankCoord> SourceFinder::AnyOf(const HostedRank& rank, const ServerView& server,
                                           uint32_t dp) const {
  std::set<RankCoord> any;
  // The longest and the shortest have all of them between them.
  for (uint64_t total : {context_->limits.total_tokens_max, uint64_t{1}}) {
    const SourceCoords coords = CoordsOf(rank, server, dp, {}, {total, 0});
    any.insert(coords.senders.begin(), coords.senders.end());
    any.insert(coords.spares.begin(), coords.spares.end());
  }
  return {any.begin(), any.end()};
}

absl::StatusOr<std::shared_ptr<const RemoteRank>> SourceFinder::Find(const ServerView& server,
                                                                     const RankCoord& coord) const {
  return RegisteredSource(*context_, server, coord);
}

void SourceFinder::Dial(const ServerView& server, const RankCoord& coord) const {
  auto address = server.addresses.find(coord);
  if (address != server.addresses.end()) context_->outbox->Dial(address->second);
}

void SourceFinder::Forget(AttachmentId hosted) {
  std::erase_if(compatible_, [&](const auto& e) { return e.first.second == hosted; });
}

absl::StatusOr<transport::Transport*> CommonTransport(const WorkerContext& context,
                                                      const HostedRank& rank,
                                                      const RemoteRank& source) {
  std::vector<std::string> why;
  for (transport::Transport* transport : context.transports) {
    const size_t index = context.IndexOf(transport);
    const absl::string_view name = transport->capabilities().name;
    auto theirs = std::find(source.transports.begin(), source.transports.end(), name);
    if (!rank.refused[index].ok() || theirs == source.transports.end()) continue;
    if (transport->capabilities().same_host && source.host_key != context.host_key) continue;
    const size_t at = theirs - source.transports.begin();
    const absl::Status reach = transport->CheckReach(
        rank.memory[index].id, at < source.memory_keys.size() ? source.memory_keys[at] : "");
    if (reach.ok()) return transport;
    why.push_back(absl::StrCat(name, ": ", reach.message()));
  }
  return Error(Reason::kNoTransport,
               why.empty() ? "no transport in common with the source" : absl::StrJoin(why, "; "),
               source.rank);
}

}  // namespace baton::worker

#include "transfer_agent/worker/untold_failures.h"

#include <utility>

#include "client/rpc/error_detail.h"
#include "transfer_agent/worker/registered_source.h"
#include "transfer_agent/worker/wire_ids.h"

namespace baton::worker {

void UntoldFailures::Add(UntoldFailure failure, TimePoint now) {
  if (failure.until <= now || Tell(failure, now)) return;
  failures_.push_back(std::move(failure));
  if (failures_.size() > kMax) failures_.pop_front();
}

void UntoldFailures::OnNews(TimePoint now) {
  for (auto it = failures_.begin(); it != failures_.end();) {
    it = it->until <= now || Tell(*it, now) ? failures_.erase(it) : std::next(it);
  }
}

bool UntoldFailures::Tell(UntoldFailure& failure, TimePoint now) {
  auto concerns = [&](const RankCoord& coord) {
    return (!failure.dp.has_value() || coord.dp == *failure.dp) && !failure.told.contains(coord);
  };
  const auto server = context_->servers.Find(failure.server);
  const std::string& name = server == nullptr ? failure.server : server->name;
  // Of ranks that the registry does not list (any more), whoever this agent has dialled.
  context_->remote_ranks.ForEach([&](const RemoteRank& source) {
    const RankCoord& coord = source.rank.coord;
    if (source.rank.server != name || !concerns(coord)) return;
    if (server != nullptr && server->addresses.contains(coord)) return;
    const auto link = context_->peers.find(source.peer);
    if (link == context_->peers.end() || !link->second.dialled) return;
    if (TellRank(failure, source, now)) failure.told.insert(coord);
  });
  if (server == nullptr) return false;
  const RankCoord& sizes = server->spec.sizes;
  const size_t all = size_t{sizes.pp} * sizes.cp * sizes.tp * (failure.dp ? 1 : sizes.dp);
  for (const auto& [coord, address] : server->addresses) {
    if (!concerns(coord)) continue;
    context_->outbox->Dial(address);
    const auto source = RegisteredSource(*context_, *server, coord);
    if (source.ok() && TellRank(failure, **source, now)) failure.told.insert(coord);
  }
  return failure.told.size() >= all;
}

bool UntoldFailures::TellRank(const UntoldFailure& failure, const RemoteRank& source,
                              TimePoint now) {
  v1::Frame frame;
  frame.set_to_worker(source.worker);
  v1::Failed* failed = frame.mutable_failed();
  // No offer has this name: who failed tells it from another rank's first one.
  failed->mutable_offer()->set_worker(context_->index);
  failed->mutable_offer()->set_serial(failure.serial);
  failed->set_open_ms(MillisSince(failure.opened, now));
  ToProto(failure.target, failed->mutable_target());
  ToProto(failure.room, failed->mutable_room());
  ToProto(source.rank, failed->mutable_source());
  *failed->mutable_cause() = ToDetail(failure.cause);
  failed->set_time_left_ms(MillisLeft(failure.until, now));
  return context_->outbox->Send(source.peer, control::Priority::kUrgent, std::move(frame)).ok();
}

}  // namespace baton::worker

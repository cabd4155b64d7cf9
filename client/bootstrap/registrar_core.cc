#include "client/bootstrap/registrar_core.h"

#include <algorithm>
#include <utility>

#include "common/reason.h"
#include "planner/layout_proto.h"

namespace baton {
namespace {

constexpr auto kFirstDelay = std::chrono::milliseconds(50);
// Enough to fill the wire, few enough that a service in trouble is not flooded.
constexpr uint32_t kAskingMax = 64;

bool ForGood(const absl::Status& cause) {
  Reason reason = ReasonOf(cause);
  return reason == Reason::kStaleIncarnation || reason == Reason::kSpecMismatch;
}

// The service has not answered, so that nothing is decided. Else it lives and says no.
bool IsSilence(const absl::Status& cause) {
  const Reason reason = ReasonOf(cause);
  return reason == Reason::kPeerLost || reason == Reason::kDeadline ||
         reason == Reason::kDraining || reason == Reason::kAborted;
}

}  // namespace

RegistrarCore::RegistrarCore(RegistrarOptions options, RegistrarEvents* events, uint64_t seed)
    : options_(std::move(options)),
      events_(events),
      seed_(seed),
      stream_backoff_(kFirstDelay, options_.backoff_max, seed) {}

RegistrarCore::Launch& RegistrarCore::LaunchOf(const RankRegistration& rank, TimePoint now) {
  LaunchKey key{rank.rank.server, rank.launch_id};
  auto it = launches_.find(key);
  if (it != launches_.end()) return it->second;
  v1::RegisterServerRequest request;
  request.set_name(rank.rank.server);
  request.set_launch_id(rank.launch_id);
  request.set_role(static_cast<v1::Role>(rank.role));
  request.set_model(rank.model);
  *request.mutable_spec() = planner::ToProto(rank.spec);
  request.mutable_labels()->insert(rank.labels.begin(), rank.labels.end());
  for (const std::string& alias : rank.aliases) request.add_aliases(alias);
  request.set_agent_address(options_.agent_address);
  Launch launch{std::move(request),
                std::nullopt,
                false,
                now,
                Backoff(kFirstDelay, options_.backoff_max, ++seed_),
                0};
  return launches_.emplace(key, std::move(launch)).first->second;
}

void RegistrarCore::Add(RankRegistration rank, TimePoint now) {
  Remove(rank.rank);
  Launch& launch = LaunchOf(rank, now);
  ++launch.ranks;
  v1::RegisterRankRequest request;
  request.set_server(rank.rank.server);
  v1::RankRecord* record = request.mutable_rank();
  *record->mutable_coord() = planner::ToProto(rank.rank.coord);
  record->set_epoch(options_.epoch.value());
  record->set_agent_address(options_.agent_address);
  *request.mutable_spec() = planner::ToProto(rank.spec);
  request.set_role(static_cast<v1::Role>(rank.role));
  request.set_model(rank.model);
  request.set_launch_id(rank.launch_id);
  request.mutable_labels()->insert(rank.labels.begin(), rank.labels.end());
  for (const std::string& alias : rank.aliases) request.add_aliases(alias);
  Rank added{rank.rank,
             {rank.rank.server, rank.launch_id},
             std::move(request),
             NewRegistrationMachine(),
             0,
             {},
             false,
             false,
             now,
             Backoff(kFirstDelay, options_.backoff_max, ++seed_)};
  ranks_.emplace(next_ticket_++, std::move(added));
}

std::optional<uint64_t> RegistrarCore::Remove(const RankRef& ref) {
  for (auto it = ranks_.begin(); it != ranks_.end(); ++it) {
    Rank& rank = it->second;
    if (rank.ref != ref) continue;
    if (rank.phase.state() == RegistrationPhase::kAsking) --asking_;
    std::optional<uint64_t> lease;
    if (rank.phase.state() == RegistrationPhase::kRegistered) lease = rank.lease;
    auto launch = launches_.find(rank.launch);
    if (--launch->second.ranks == 0) launches_.erase(launch);
    ranks_.erase(it);
    list_changed_ = true;
    return lease;
  }
  return std::nullopt;
}

Duration RegistrarCore::DelayAfter(const absl::Status& cause, Backoff* backoff) const {
  switch (ReasonOf(cause)) {
    // Settling: soon over where the service has just started, or a twin that goes on for ever.
    case Reason::kSettling:
    case Reason::kPeerLost:
    case Reason::kDraining:
      // Back in time to be seen alive by a service that restarts.
      return backoff->Next(Period());
    default:
      return backoff->Next();
  }
}

RegistrarCore::Calls RegistrarCore::Step(TimePoint now) {
  Calls calls;
  NoteLost(now);
  for (auto& [key, launch] : launches_) {
    if (launch.incarnation || launch.asking || launch.next_attempt > now) continue;
    launch.asking = true;
    calls.servers.emplace_back(key, launch.request);
  }
  for (auto& [ticket, rank] : ranks_) {
    if (asking_ >= kAskingMax) break;
    const Launch& launch = launches_.at(rank.launch);
    bool due = rank.phase.state() == RegistrationPhase::kWaiting && launch.incarnation &&
               rank.next_attempt <= now;
    if (!due) continue;
    rank.phase.Advance(RegistrationEvent::kAsk);
    ++asking_;
    calls.ranks.emplace_back(ticket, rank.request);
    calls.ranks.back().second.set_incarnation(launch.incarnation->value());
  }
  StepKeepAlive(now, &calls);
  return calls;
}

void RegistrarCore::NoteLost(TimePoint now) {
  for (auto& [ticket, rank] : ranks_) {
    if (rank.lease == 0 || rank.lost || rank.lease_ends > now) continue;
    rank.lost = true;
    events_->OnLeaseLost(rank.ref);
  }
}

void RegistrarCore::OnServer(const LaunchKey& key,
                             const absl::StatusOr<v1::RegisterServerResponse>& answer,
                             TimePoint now) {
  auto it = launches_.find(key);
  if (it == launches_.end() || !it->second.asking) return;
  Launch& launch = it->second;
  launch.asking = false;
  if (answer.ok()) {
    launch.incarnation = Incarnation(answer->incarnation());
    return;
  }
  bool for_good = ForGood(answer.status());
  launch.next_attempt =
      for_good ? TimePoint::max() : now + DelayAfter(answer.status(), &launch.backoff);
  for (auto& [ticket, rank] : ranks_) {
    if (rank.launch != key) continue;
    if (for_good) rank.phase.Advance(RegistrationEvent::kRefuse);
    NoteFailing(&rank, answer.status());
  }
}

void RegistrarCore::NoteFailing(Rank* rank, const absl::Status& cause) {
  const bool silence = IsSilence(cause);
  const bool decides = !silence || !rank->answered;
  rank->answered = rank->answered || !silence;
  events_->OnRegistrationFailing(rank->ref, cause, decides);
}

std::optional<uint64_t> RegistrarCore::OnRank(
    Ticket ticket, const absl::StatusOr<v1::RegisterRankResponse>& answer, TimePoint now) {
  auto it = ranks_.find(ticket);
  if (it == ranks_.end()) {
    return answer.ok() ? std::optional<uint64_t>(answer->lease_id()) : std::nullopt;
  }
  Rank& rank = it->second;
  --asking_;
  if (!answer.ok()) {
    bool for_good = ForGood(answer.status());
    rank.phase.Advance(for_good ? RegistrationEvent::kRefuse : RegistrationEvent::kFail);
    rank.next_attempt = now + DelayAfter(answer.status(), &rank.backoff);
    NoteFailing(&rank, answer.status());
    return std::nullopt;
  }
  rank.phase.Advance(RegistrationEvent::kGrant);
  rank.backoff.Reset();
  rank.lease = answer->lease_id();
  if (answer->lease_ms() > 0) lease_ = std::chrono::milliseconds(answer->lease_ms());
  rank.lease_ends = now + lease_;
  rank.lost = false;
  rank.answered = true;
  list_changed_ = true;
  events_->OnRegistered(rank.ref, *launches_.at(rank.launch).incarnation);
  return std::nullopt;
}

TimePoint RegistrarCore::next(TimePoint now) const {
  TimePoint at = now + std::chrono::seconds(1);
  for (const auto& [key, launch] : launches_) {
    if (!launch.incarnation && !launch.asking) at = std::min(at, launch.next_attempt);
  }
  for (const auto& [ticket, rank] : ranks_) {
    bool waits = rank.phase.state() == RegistrationPhase::kWaiting && asking_ < kAskingMax &&
                 launches_.at(rank.launch).incarnation.has_value();
    if (waits) at = std::min(at, rank.next_attempt);
    if (rank.lease != 0 && !rank.lost) at = std::min(at, rank.lease_ends);
  }
  if (!unanswered_.empty()) {
    at = std::min(at, unanswered_.front().at + Duration(options_.rpc_deadline));
  }
  if (!full() && !leases().empty()) at = std::min(at, next_keep_alive_);
  return at;
}

std::vector<uint64_t> RegistrarCore::leases() const {
  std::vector<uint64_t> held;
  for (const auto& [ticket, rank] : ranks_) {
    if (rank.phase.state() == RegistrationPhase::kRegistered) held.push_back(rank.lease);
  }
  return held;
}

}  // namespace baton

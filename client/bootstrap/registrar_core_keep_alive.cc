// The keep-alive: one list of leases, renewed each third of a lease time.
#include <set>
#include <utility>

#include "client/bootstrap/registrar_core.h"

namespace baton {

void RegistrarCore::StepKeepAlive(TimePoint now, Calls* calls) {
  if (!unanswered_.empty() && unanswered_.front().at + options_.rpc_deadline <= now) {
    calls->reset_stream = true;
    OnStreamEnd(now);
  }
  // A change alone waits for no period, but for the answers: of a flood of ranks each would list
  // all that are there.
  const bool due = next_keep_alive_ <= now || (list_changed_ && unanswered_.empty());
  // After the end of a stream nothing is sent before its delay is over.
  if (!due || full() || (listed_.empty() && next_keep_alive_ > now)) return;
  std::vector<uint64_t> held = leases();
  if (held.empty()) return;
  v1::KeepAliveRequest request;
  request.set_epoch(options_.epoch.value());
  if (held != listed_) request.mutable_lease_ids()->Add(held.begin(), held.end());
  request.mutable_load()->set_rooms(load_.rooms);
  request.mutable_load()->set_bytes_per_second(load_.bytes_per_second);
  request.mutable_load()->set_healthy(load_.healthy);
  listed_ = std::move(held);
  list_changed_ = false;
  unanswered_.push_back({now, listed_});
  next_keep_alive_ = now + Period();
  calls->keep_alive = std::move(request);
}

void RegistrarCore::Confirm(Rank* rank, TimePoint now) {
  rank->lease_ends = now + lease_;
  if (!rank->lost) return;
  rank->lost = false;
  events_->OnRegistered(rank->ref, *launches_.at(rank->launch).incarnation);
}

void RegistrarCore::OnKeepAlive(const v1::KeepAliveResponse& answer, TimePoint now) {
  if (unanswered_.empty()) return;
  const std::vector<uint64_t> sent = std::move(unanswered_.front().leases);
  unanswered_.pop_front();
  stream_backoff_.Reset();
  if (answer.lease_ms() > 0) lease_ = std::chrono::milliseconds(answer.lease_ms());
  std::set<uint64_t> unknown(answer.unknown_lease_ids().begin(), answer.unknown_lease_ids().end());
  std::set<uint64_t> renewed(sent.begin(), sent.end());
  for (auto& [ticket, rank] : ranks_) {
    if (rank.phase.state() != RegistrationPhase::kRegistered) continue;
    if (unknown.count(rank.lease) > 0) {
      rank.phase.Advance(RegistrationEvent::kForget);
      rank.next_attempt = now;
      list_changed_ = true;
    } else if (renewed.count(rank.lease) > 0) {
      Confirm(&rank, now);
    }
  }
}

void RegistrarCore::OnStreamEnd(TimePoint now) {
  unanswered_.clear();
  listed_.clear();
  next_keep_alive_ = now + stream_backoff_.Next(Period());
}

}  // namespace baton

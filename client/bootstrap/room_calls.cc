#include "client/bootstrap/room_calls.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/reason.h"

namespace baton {
namespace {

constexpr size_t kRoomsPerCall = 1024;
constexpr auto kFirstDelay = std::chrono::milliseconds(50);
// Rooms that are over are told with the next bindings, or after this.
constexpr auto kOverDelay = std::chrono::seconds(1);
// As long as the service keeps a room that is over.
constexpr auto kLinger = std::chrono::seconds(30);

void SetRoom(const std::string& server, const RoomKey& room, v1::RoomBinding* out) {
  out->set_server(server);
  out->mutable_room()->set_id(room.id);
  out->mutable_room()->set_nonce(room.nonce);
}

bool Unreachable(const absl::Status& status) {
  Reason reason = ReasonOf(status);
  return reason == Reason::kPeerLost || reason == Reason::kDeadline || reason == Reason::kAborted ||
         reason == Reason::kDraining || reason == Reason::kFull;
}

}  // namespace

RoomCalls::RoomCalls(Duration backoff_max, uint64_t seed)
    : stream_backoff_(kFirstDelay, backoff_max, seed),
      batch_(kRoomsPerCall),
      bind_backoff_(kFirstDelay, backoff_max, seed + 1) {}

void RoomCalls::Lookup(const std::string& server, const RoomKey& room, TimePoint ends,
                       LookupDone done) {
  // Over the bound its time is over at once: Step tells it so.
  if (lookup_ends_.size() >= kWaitingMax) ends = TimePoint();
  auto it = lookups_.try_emplace({server, room}).first;
  Lookups& of = it->second;
  of.waiting.push_back({std::move(done), lookup_ends_.emplace(ends, it)});
  of.latest = std::max(of.latest, ends);
  if (of.asked_for < of.latest) unasked_.push_back(it->first);
}

void RoomCalls::Bind(const std::string& server, const RoomKey& room, uint32_t dp, TimePoint ends) {
  auto [it, added] = bindings_.try_emplace({server, room});
  if (!added) binding_ends_.erase(it->second.end);
  it->second.dp = dp;
  it->second.end = binding_ends_.emplace(ends, it);
  Queue(it);
  if (bindings_.size() > kBindingsMax) Erase(binding_ends_.begin()->second);
}

void RoomCalls::Queue(BindingMap::iterator it) {
  if (!std::exchange(it->second.queued, true)) unsent_.push_back(it->first);
}

void RoomCalls::Erase(BindingMap::iterator it) {
  binding_ends_.erase(it->second.end);
  bindings_.erase(it);
}

void RoomCalls::Over(const std::string& server, const RoomKey& room, TimePoint now) {
  Key key{server, room};
  if (auto it = bindings_.find(key); it != bindings_.end()) {
    // The service has not heard of it: who comes late is to find it still.
    if (it->second.queued) {
      const TimePoint ends = std::min(it->second.end->first, now + kLinger);
      binding_ends_.erase(it->second.end);
      it->second.end = binding_ends_.emplace(ends, it);
      return;
    }
    Erase(it);
  }
  // What is not told ends there by its own time.
  if (over_.size() >= kBindingsMax) return;
  if (over_.empty()) over_since_ = now;
  over_.push_back(std::move(key));
}

void RoomCalls::ForgetSent() {
  for (auto it = bindings_.begin(); it != bindings_.end(); ++it) Queue(it);
}

RoomCalls::Calls RoomCalls::Step(TimePoint now) {
  Calls calls;
  StepLookups(now, &calls);
  StepBindings(now, &calls);
  return calls;
}

void RoomCalls::Finish(LookupMap::iterator it, const absl::StatusOr<uint32_t>& answer) {
  std::vector<Waiting> waiting = std::move(it->second.waiting);
  for (Waiting& one : waiting) lookup_ends_.erase(one.end);
  lookups_.erase(it);
  for (Waiting& one : waiting) one.done(answer);
}

void RoomCalls::EndLookups(TimePoint now) {
  std::vector<std::pair<LookupDone, absl::Status>> over;
  while (!lookup_ends_.empty() && lookup_ends_.begin()->first <= now) {
    const auto end = lookup_ends_.begin();
    const LookupMap::iterator it = end->second;
    std::vector<Waiting>& waiting = it->second.waiting;
    auto one = std::find_if(waiting.begin(), waiting.end(),
                            [end](const Waiting& w) { return w.end == end; });
    over.emplace_back(
        std::move(one->done),
        Error(Reason::kRoomUnknown, absl::StrCat("room ", ToString(it->first.second), " of server ",
                                                 it->first.first, " was not bound in time")));
    waiting.erase(one);
    lookup_ends_.erase(end);
    if (waiting.empty()) lookups_.erase(it);
  }
  for (auto& [done, why] : over) done(why);
}

void RoomCalls::StepLookups(TimePoint now, Calls* calls) {
  EndLookups(now);
  if (unasked_.empty() || (!streaming_ && next_stream_ > now)) return;
  while (!unasked_.empty()) {
    auto it = lookups_.find(unasked_.front());
    unasked_.pop_front();
    if (it == lookups_.end() || it->second.asked_for >= it->second.latest) continue;
    it->second.asked_for = it->second.latest;
    if (calls->follow.empty() || calls->follow.back().rooms_size() == kRoomsPerCall) {
      calls->follow.emplace_back();
    }
    v1::RoomBinding* room = calls->follow.back().add_rooms();
    SetRoom(it->first.first, it->first.second, room);
    room->set_ttl_ms(MillisLeft(it->second.latest, now));
  }
  if (!calls->follow.empty()) calls->open_stream = !std::exchange(streaming_, true);
}

void RoomCalls::OnFollowed(const v1::FollowRoomsResponse& answer) {
  stream_backoff_.Reset();
  for (const v1::RoomBinding& found : answer.bindings()) {
    auto it = lookups_.find({found.server(), RoomKey{found.room().id(), found.room().nonce()}});
    if (it != lookups_.end()) Finish(it, found.dp());
  }
}

void RoomCalls::OnStreamEnd(TimePoint now) {
  streaming_ = false;
  next_stream_ = now + stream_backoff_.Next();
  unasked_.clear();
  for (auto& [key, of] : lookups_) {
    of.asked_for = TimePoint();
    unasked_.push_back(key);
  }
}

bool RoomCalls::OverIsDue(TimePoint now) const {
  return !over_.empty() && (over_.size() >= kRoomsPerCall || over_since_ + kOverDelay <= now);
}

void RoomCalls::StepBindings(TimePoint now, Calls* calls) {
  while (!binding_ends_.empty() && binding_ends_.begin()->first <= now) {
    Erase(binding_ends_.begin()->second);
  }
  if (bind_is_out_ || next_bind_ > now || (unsent_.empty() && !OverIsDue(now))) return;
  v1::BindRoomRequest request;
  TimePoint latest = now;
  while (!unsent_.empty() && binding_.size() < batch_) {
    auto it = bindings_.find(unsent_.front());
    unsent_.pop_front();
    if (it == bindings_.end() || !std::exchange(it->second.queued, false)) continue;
    const TimePoint ends = it->second.end->first;
    v1::RoomBinding* binding = request.add_bindings();
    SetRoom(it->first.first, it->first.second, binding);
    binding->set_dp(it->second.dp);
    binding->set_ttl_ms(MillisLeft(ends, now));
    latest = std::max(latest, ends);
    binding_.push_back(it->first);
  }
  while (!over_.empty() && overing_.size() < kRoomsPerCall) {
    SetRoom(over_.front().first, over_.front().second, request.add_over());
    overing_.push_back(std::move(over_.front()));
    over_.pop_front();
  }
  over_since_ = now;
  if (binding_.empty() && overing_.empty()) return;
  // For a service that knows no time of each.
  request.set_ttl_ms(MillisLeft(latest, now));
  bind_is_out_ = true;
  calls->bind = std::move(request);
}

void RoomCalls::OnBind(const absl::StatusOr<v1::BindRoomResponse>& answer, TimePoint now) {
  bind_is_out_ = false;
  const std::vector<Key> asked = std::exchange(binding_, {});
  std::vector<Key> over = std::exchange(overing_, {});
  const bool refused = !answer.ok() && !Unreachable(answer.status());
  if (answer.ok()) batch_ = std::min(kRoomsPerCall, 2 * batch_);
  if (answer.ok() || refused) bind_backoff_.Reset();
  if (!answer.ok() && !refused) {
    next_bind_ = now + bind_backoff_.Next();
    over_.insert(over_.begin(), over.begin(), over.end());
  }
  if (answer.ok()) return;
  if (refused && asked.size() <= 1) {
    batch_ = std::min(kRoomsPerCall, 2 * batch_);
    for (const Key& key : asked) {
      LOG(WARNING) << "room " << ToString(key.second) << " of server " << key.first
                   << " is not bound: " << answer.status().message();
      auto it = bindings_.find(key);
      if (it != bindings_.end() && !it->second.queued) Erase(it);
    }
    return;
  }
  if (refused) batch_ = (asked.size() + 1) / 2;
  for (auto key = asked.rbegin(); key != asked.rend(); ++key) {
    auto it = bindings_.find(*key);
    if (it == bindings_.end() || std::exchange(it->second.queued, true)) continue;
    unsent_.push_front(*key);
  }
}

TimePoint RoomCalls::next(TimePoint now) const {
  TimePoint at = now + std::chrono::seconds(1);
  if (!lookup_ends_.empty()) at = std::min(at, lookup_ends_.begin()->first);
  if (!unasked_.empty()) at = std::min(at, streaming_ ? now : next_stream_);
  if (bind_is_out_) return at;
  if (!unsent_.empty()) at = std::min(at, next_bind_);
  if (!over_.empty()) at = std::min(at, std::max(next_bind_, over_since_ + kOverDelay));
  return at;
}

void RoomCalls::Stop(const absl::Status& why) {
  while (!lookups_.empty()) Finish(lookups_.begin(), why);
}

}  // namespace baton

#include "client/bootstrap/room_calls.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/reason.h"

namespace baton {
namespace {

constexpr size_t kRoomsPerCall = 1024;
// Lookups that wait at the service at one time. The last one waits briefly, so that rooms asked for
// later are not held up.
constexpr size_t kLookupCalls = 8;
constexpr uint32_t kLongWaitMs = 1000;
constexpr uint32_t kShortWaitMs = 50;
constexpr auto kFirstDelay = std::chrono::milliseconds(50);

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
    : lookup_backoff_(kFirstDelay, backoff_max, seed),
      bind_backoff_(kFirstDelay, backoff_max, seed + 1) {}

void RoomCalls::Lookup(const std::string& server, const RoomKey& room, TimePoint ends,
                       LookupDone done) {
  Key key{server, room};
  // Over the bound its time is over at once: Step tells it so.
  if (waiting_count_ >= kWaitingMax) ends = TimePoint();
  std::vector<Waiting>& waiting = waiting_[key];
  if (waiting.empty()) unasked_.insert(key);
  waiting.push_back({ends, std::move(done)});
  ++waiting_count_;
}

void RoomCalls::Bind(const std::string& server, const RoomKey& room, uint32_t dp, TimePoint ends) {
  if (bindings_.size() >= kBindingsMax) {
    auto oldest = std::min_element(
        bindings_.begin(), bindings_.end(),
        [](const auto& a, const auto& b) { return a.second.ends < b.second.ends; });
    bindings_.erase(oldest);
  }
  bindings_[{server, room}] = {dp, ends, false};
}

void RoomCalls::ForgetSent() {
  for (auto& [key, binding] : bindings_) binding.sent = false;
}

RoomCalls::Calls RoomCalls::Step(TimePoint now) {
  Calls calls;
  StepLookups(now, &calls);
  StepBindings(now, &calls);
  return calls;
}

void RoomCalls::Finish(const Key& key, const absl::StatusOr<uint32_t>& answer) {
  auto it = waiting_.find(key);
  if (it == waiting_.end()) return;
  std::vector<Waiting> waiting = std::move(it->second);
  waiting_.erase(it);
  unasked_.erase(key);
  waiting_count_ -= waiting.size();
  for (Waiting& one : waiting) one.done(answer);
}

void RoomCalls::StepLookups(TimePoint now, Calls* calls) {
  std::vector<LookupDone> over;
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    std::vector<Waiting>& waiting = it->second;
    auto late = std::stable_partition(waiting.begin(), waiting.end(),
                                      [now](const Waiting& one) { return one.ends > now; });
    for (auto one = late; one != waiting.end(); ++one) {
      over.push_back([key = it->first, done = std::move(one->done)](absl::StatusOr<uint32_t>) {
        done(Error(Reason::kRoomUnknown, absl::StrCat("room ", ToString(key.second), " of server ",
                                                      key.first, " was not bound in time")));
      });
    }
    waiting_count_ -= waiting.end() - late;
    waiting.erase(late, waiting.end());
    if (waiting.empty()) unasked_.erase(it->first);
    it = waiting.empty() ? waiting_.erase(it) : std::next(it);
  }
  while (!unasked_.empty() && next_lookup_ <= now && asking_.size() < kLookupCalls) {
    v1::LookupRoomRequest request;
    std::set<Key>& asked = asking_[next_call_];
    while (!unasked_.empty() && asked.size() < kRoomsPerCall) {
      auto key = unasked_.extract(unasked_.begin());
      SetRoom(key.value().first, key.value().second, request.add_rooms());
      asked.insert(std::move(key));
    }
    request.set_wait_ms(asking_.size() == kLookupCalls ? kShortWaitMs : kLongWaitMs);
    calls->lookups.emplace_back(next_call_++, std::move(request));
  }
  for (LookupDone& done : over) done(0u);
}

void RoomCalls::OnLookup(CallId call, const absl::StatusOr<v1::LookupRoomResponse>& answer,
                         TimePoint now) {
  std::set<Key> asked = std::move(asking_[call]);
  asking_.erase(call);
  for (const Key& key : asked) {
    if (waiting_.count(key) > 0) unasked_.insert(key);
  }
  if (!answer.ok()) {
    next_lookup_ = now + lookup_backoff_.Next();
    if (Unreachable(answer.status())) return;
    // The service does not like the request: waiting longer will not change that.
    for (const Key& key : asked) Finish(key, answer.status());
    return;
  }
  lookup_backoff_.Reset();
  for (const v1::RoomBinding& found : answer->bindings()) {
    Finish({found.server(), RoomKey{found.room().id(), found.room().nonce()}}, found.dp());
  }
}

void RoomCalls::StepBindings(TimePoint now, Calls* calls) {
  for (auto it = bindings_.begin(); it != bindings_.end();) {
    it = it->second.ends <= now ? bindings_.erase(it) : std::next(it);
  }
  if (!binding_.empty() || next_bind_ > now) return;
  v1::BindRoomRequest request;
  Duration life{};
  for (const auto& [key, binding] : bindings_) {
    if (binding.sent) continue;
    // One time to live for the whole request: the rest goes with the next.
    Duration left = binding.ends - now;
    if (binding_.empty()) life = left;
    if (left > life + std::chrono::seconds(1) || left + std::chrono::seconds(1) < life) continue;
    life = std::max(life, left);
    SetRoom(key.first, key.second, request.add_bindings());
    request.mutable_bindings()->rbegin()->set_dp(binding.dp);
    binding_.push_back(key);
    if (one_by_one_ || binding_.size() == kRoomsPerCall) break;
  }
  if (binding_.empty()) {
    one_by_one_ = false;
    return;
  }
  request.set_ttl_ms(MillisLeft(now + life, now));
  calls->bind = std::move(request);
}

void RoomCalls::OnBind(const absl::StatusOr<v1::BindRoomResponse>& answer, TimePoint now) {
  std::vector<Key> asked = std::exchange(binding_, {});
  bool refused = !answer.ok() && !Unreachable(answer.status());
  if (!answer.ok() && !refused) {
    next_bind_ = now + bind_backoff_.Next();
    return;
  }
  bind_backoff_.Reset();
  if (refused && asked.size() > 1) {
    one_by_one_ = true;
    return;
  }
  for (const Key& key : asked) {
    auto it = bindings_.find(key);
    if (it == bindings_.end()) continue;
    it->second.sent = true;
    if (!refused) continue;
    LOG(WARNING) << "room " << ToString(key.second) << " of server " << key.first
                 << " is not bound: " << answer.status().message();
    bindings_.erase(it);
  }
}

TimePoint RoomCalls::next(TimePoint now) const {
  TimePoint at = now + std::chrono::seconds(1);
  for (const auto& [key, waiting] : waiting_) {
    for (const Waiting& one : waiting) at = std::min(at, one.ends);
  }
  if (!unasked_.empty() && asking_.size() < kLookupCalls) at = std::min(at, next_lookup_);
  bool unsent = std::any_of(bindings_.begin(), bindings_.end(),
                            [](const auto& binding) { return !binding.second.sent; });
  if (unsent && binding_.empty()) at = std::min(at, next_bind_);
  return at;
}

void RoomCalls::Stop(const absl::Status& why) {
  while (!waiting_.empty()) Finish(Key(waiting_.begin()->first), why);
}

}  // namespace baton

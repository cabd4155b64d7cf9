#include "bootstrap_service/registry/rooms.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "bootstrap_service/registry/check.h"
#include "common/reason.h"

namespace baton::registry {
namespace {

std::pair<std::string, RoomKey> KeyOf(const v1::RoomBinding& binding) {
  return {binding.server(), RoomKey{binding.room().id(), binding.room().nonce()}};
}

absl::Status CheckCount(absl::string_view field, int count, uint32_t max) {
  if (count > 0 && static_cast<uint32_t>(count) <= max) return absl::OkStatus();
  return Error(count == 0 ? Reason::kBadSpec : Reason::kTooLarge,
               absl::StrCat(field, ": ", count, " rooms, 1 to ", max, " are allowed"));
}

}  // namespace

const RoomTable::Binding* RoomTable::Live(const Key& key, TimePoint now) const {
  auto it = bindings_.find(key);
  return it == bindings_.end() || it->second.end->first <= now ? nullptr : &it->second;
}

absl::Status RoomTable::CheckBindings(const v1::BindRoomRequest& request, TimePoint now) const {
  absl::Status status = CheckCount("bindings", request.bindings_size(), limits_.rooms_per_request);
  if (!status.ok()) return status;
  if (bindings_.size() + request.bindings_size() > limits_.bindings) {
    return Error(Reason::kFull, absl::StrCat("bindings: ", bindings_.size(),
                                             " are held; --max_bindings is ", limits_.bindings));
  }
  absl::flat_hash_map<Key, uint32_t> asked;
  for (const v1::RoomBinding& binding : request.bindings()) {
    status = CheckName("bindings.server", binding.server());
    if (!status.ok()) return status;
    Key key = KeyOf(binding);
    const Binding* live = Live(key, now);
    uint32_t dp = live != nullptr ? live->dp : asked.emplace(key, binding.dp()).first->second;
    if (dp == binding.dp()) continue;
    return Error(Reason::kRoomBound,
                 absl::StrCat("room ", ToString(key.second), " of server ", binding.server(),
                              " is bound to dp ", dp, ", not ", binding.dp()));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Answered>> RoomTable::Bind(const v1::BindRoomRequest& request,
                                                      TimePoint now) {
  DropBindings(now);
  Shorten(request, now);
  if (request.bindings().empty() && !request.over().empty()) return std::vector<Answered>();
  absl::Status status = CheckBindings(request, now);
  if (!status.ok()) return status;
  auto life_of = [&](const v1::RoomBinding& wanted) -> Duration {
    const uint32_t ms = wanted.ttl_ms() != 0 ? wanted.ttl_ms() : request.ttl_ms();
    if (ms == 0) return limits_.binding_life;
    return std::min<Duration>(std::chrono::milliseconds(ms), limits_.binding_life_max);
  };
  std::set<WaiterId> heard;
  for (const v1::RoomBinding& wanted : request.bindings()) {
    Key key = KeyOf(wanted);
    auto [it, is_new] = bindings_.try_emplace(key);
    TimePoint ends = now + life_of(wanted);
    if (!is_new) {
      ends = std::max(ends, it->second.end->first);
      binding_ends_.erase(it->second.end);
    }
    it->second = {wanted.dp(), binding_ends_.emplace(ends, &it->first)};
    auto waiting = waiting_.find(key);
    if (waiting != waiting_.end()) heard.insert(waiting->second.begin(), waiting->second.end());
  }
  std::vector<Answered> answers;
  answers.reserve(heard.size());
  for (WaiterId waiter : heard) answers.push_back(Answer(waiter, now));
  return answers;
}

void RoomTable::Shorten(const v1::BindRoomRequest& request, TimePoint now) {
  const TimePoint latest = now + limits_.binding_linger;
  for (const v1::RoomBinding& over : request.over()) {
    auto it = bindings_.find(KeyOf(over));
    if (it == bindings_.end() || it->second.end->first <= latest) continue;
    binding_ends_.erase(it->second.end);
    it->second.end = binding_ends_.emplace(latest, &it->first);
  }
}

v1::LookupRoomResponse RoomTable::Found(const std::vector<Key>& keys, TimePoint now) const {
  v1::LookupRoomResponse response;
  for (const Key& key : keys) {
    const Binding* live = Live(key, now);
    if (live == nullptr) continue;
    v1::RoomBinding* found = response.add_bindings();
    found->set_server(key.first);
    found->mutable_room()->set_id(key.second.id);
    found->mutable_room()->set_nonce(key.second.nonce);
    found->set_dp(live->dp);
  }
  return response;
}

absl::StatusOr<RoomTable::LookupResult> RoomTable::Lookup(const v1::LookupRoomRequest& request,
                                                          TimePoint now, TimePoint wait_ends) {
  absl::Status status = CheckCount("rooms", request.rooms_size(), limits_.rooms_per_request);
  if (!status.ok()) return status;
  std::vector<Key> keys;
  for (const v1::RoomBinding& room : request.rooms()) {
    status = CheckName("rooms.server", room.server());
    if (!status.ok()) return status;
    keys.push_back(KeyOf(room));
  }
  LookupResult result;
  result.response = Found(keys, now);
  if (result.response.bindings_size() > 0 || wait_ends <= now) return result;
  if (waiting_rooms_ + keys.size() > limits_.waiting_lookups) {
    return Error(Reason::kFull, absl::StrCat("rooms: ", waiting_rooms_,
                                             " are waited for; --max_waiting_lookups is ",
                                             limits_.waiting_lookups));
  }
  WaiterId id(next_waiter_++);
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  for (const Key& key : keys) waiting_[key].push_back(id);
  waiting_rooms_ += keys.size();
  waiters_[id] = {std::move(keys)};
  waits_.Push(wait_ends, id);
  result.waiter = id;
  return result;
}

void RoomTable::Cancel(WaiterId id) {
  auto waiter = waiters_.find(id);
  if (waiter == waiters_.end()) return;
  for (const Key& key : waiter->second.keys) {
    auto waiting = waiting_.find(key);
    std::vector<WaiterId>& ids = waiting->second;
    ids.erase(std::remove(ids.begin(), ids.end(), id), ids.end());
    if (ids.empty()) waiting_.erase(waiting);
  }
  waiting_rooms_ -= waiter->second.keys.size();
  waiters_.erase(waiter);
}

Answered RoomTable::Answer(WaiterId id, TimePoint now) {
  Answered answer{id, Found(waiters_[id].keys, now)};
  Cancel(id);
  return answer;
}

void RoomTable::DropBindings(TimePoint now) {
  while (!binding_ends_.empty() && binding_ends_.begin()->first <= now) {
    bindings_.erase(*binding_ends_.begin()->second);
    binding_ends_.erase(binding_ends_.begin());
  }
}

std::vector<Answered> RoomTable::Tick(TimePoint now) {
  DropBindings(now);
  std::vector<Answered> answers;
  while (std::optional<WaiterId> id = waits_.PopDue(now)) {
    if (waiters_.contains(*id)) answers.push_back(Answer(*id, now));
  }
  return answers;
}

}  // namespace baton::registry

#include "bootstrap_service/store/memory_store.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/reason.h"

namespace baton::registry {

MemoryStore::MemoryStore(const Limits& limits, uint64_t store_epoch)
    : store_epoch_(store_epoch),
      tick_(std::min<Duration>(limits.lease / 20, std::chrono::milliseconds(50))),
      registry_(limits, store_epoch, ReadClocks()),
      rooms_(limits),
      ticker_([this] { TickUntilStopped(); }) {}

MemoryStore::~MemoryStore() {
  {
    MutexLock lock(&mu_);
    stopped_ = true;
    stop_changed_.NotifyAll();
  }
  ticker_.join();
  absl::flat_hash_map<WaiterId, Done<v1::LookupRoomResponse>> lookups;
  {
    MutexLock lock(&mu_);
    lookups.swap(lookups_);
  }
  for (auto& [waiter, done] : lookups) done(v1::LookupRoomResponse());
}

void MemoryStore::Tell() {
  MutexLock lock(&listener_mu_);
  if (listener_) listener_();
}

void MemoryStore::SetListener(std::function<void()> listener) {
  MutexLock lock(&listener_mu_);
  listener_ = std::move(listener);
}

void MemoryStore::TickUntilStopped() {
  for (;;) {
    uint64_t before;
    uint64_t after;
    std::vector<LookupAnswer> answers;
    {
      MutexLock lock(&mu_);
      if (stopped_) return;
      stop_changed_.WaitUntil(&mu_, Monotonic::now() + tick_);
      if (stopped_) return;
      Now now = ReadClocks();
      before = registry_.changes().latest();
      registry_.Tick(now);
      after = registry_.changes().latest();
      answers = Collect(rooms_.Tick(now.time));
    }
    if (before != after) Tell();
    for (LookupAnswer& answer : answers) answer.done(std::move(answer.response));
  }
}

template <typename Request, typename Response>
void MemoryStore::ApplyToRegistry(const Request& request, const Done<Response>& done) {
  absl::StatusOr<Response> answer = absl::UnknownError("");
  bool changed;
  {
    MutexLock lock(&mu_);
    uint64_t before = registry_.changes().latest();
    answer = registry_.Apply(request, ReadClocks());
    changed = registry_.changes().latest() != before;
  }
  if (changed) Tell();
  done(std::move(answer));
}

void MemoryStore::Submit(const v1::RegisterServerRequest& request,
                         Done<v1::RegisterServerResponse> done) {
  ApplyToRegistry(request, done);
}
void MemoryStore::Submit(const v1::RegisterRankRequest& request,
                         Done<v1::RegisterRankResponse> done) {
  ApplyToRegistry(request, done);
}
void MemoryStore::Submit(const v1::KeepAliveRequest& request, Done<v1::KeepAliveResponse> done) {
  ApplyToRegistry(request, done);
}
void MemoryStore::Submit(const v1::DeregisterRequest& request, Done<v1::DeregisterResponse> done) {
  ApplyToRegistry(request, done);
}
void MemoryStore::Submit(const v1::DrainRequest& request, Done<v1::DrainResponse> done) {
  ApplyToRegistry(request, done);
}

std::vector<MemoryStore::LookupAnswer> MemoryStore::Collect(std::vector<Answered> answered) {
  std::vector<LookupAnswer> answers;
  for (Answered& one : answered) {
    auto it = lookups_.find(one.waiter);
    answers.push_back({std::move(it->second), std::move(one.response)});
    lookups_.erase(it);
  }
  return answers;
}

void MemoryStore::Submit(const v1::BindRoomRequest& request, Done<v1::BindRoomResponse> done) {
  absl::StatusOr<v1::BindRoomResponse> answer = v1::BindRoomResponse();
  std::vector<LookupAnswer> lookups;
  {
    MutexLock lock(&mu_);
    absl::Status status;
    for (const v1::RoomBinding& binding : request.bindings()) {
      status.Update(registry_.CheckDp(binding.server(), binding.dp()));
    }
    if (status.ok()) {
      auto answered = rooms_.Bind(request, Monotonic::now());
      status = answered.status();
      if (answered.ok()) lookups = Collect(*std::move(answered));
    }
    if (!status.ok()) answer = status;
  }
  done(std::move(answer));
  for (LookupAnswer& one : lookups) one.done(std::move(one.response));
}

WaiterId MemoryStore::Lookup(const v1::LookupRoomRequest& request, TimePoint wait_ends,
                             Done<v1::LookupRoomResponse> done) {
  absl::StatusOr<RoomTable::LookupResult> result = absl::UnknownError("");
  {
    MutexLock lock(&mu_);
    result = rooms_.Lookup(request, Monotonic::now(), wait_ends);
    if (result.ok() && result->waiter) {
      lookups_.emplace(*result->waiter, std::move(done));
      return *result->waiter;
    }
  }
  if (result.ok()) {
    done(std::move(result->response));
  } else {
    done(result.status());
  }
  return WaiterId();
}

bool MemoryStore::CancelLookup(WaiterId waiter) {
  MutexLock lock(&mu_);
  rooms_.Cancel(waiter);
  return lookups_.erase(waiter) > 0;
}

absl::StatusOr<Listing> MemoryStore::Get(const std::string& name) {
  MutexLock lock(&mu_);
  const Server* server = registry_.Resolve(name);
  if (server == nullptr) return Error(Reason::kUnknownServer, absl::StrCat("server ", name));
  return Listing{{registry_.ImageOf(*server->name)}, registry_.changes().latest()};
}

Listing MemoryStore::List(const ListQuery& query) {
  MutexLock lock(&mu_);
  Listing listing;
  listing.number = registry_.changes().latest();
  size_t bytes = 0;
  const auto& servers = registry_.servers();
  for (auto it = servers.upper_bound(query.after); it != servers.end(); ++it) {
    const auto& identity = it->second->identity;
    const bool wanted = (query.role == v1::ROLE_UNSPECIFIED || identity.role == query.role) &&
                        (query.model.empty() || identity.model == query.model);
    if (!wanted) continue;
    ServerImagePtr image = registry_.ImageOf(it->first);
    bytes += image->record.size();
    listing.more = !listing.servers.empty() &&
                   (listing.servers.size() >= query.servers || bytes > query.bytes);
    if (listing.more) break;
    listing.servers.push_back(std::move(image));
  }
  return listing;
}

StoreStats MemoryStore::Stats() {
  StoreStats stats;
  MutexLock lock(&mu_);
  for (const auto& [name, server] : registry_.servers()) {
    const Role role = static_cast<Role>(server->identity.role);
    StoreStats::Tally& tally = stats.servers[{role, server->phase.state()}];
    ++tally.servers;
    tally.ranks += server->live.size();
    tally.missing += server->slots.size() - server->live.size();
  }
  stats.lease_expirations = registry_.expirations();
  stats.bound_rooms = rooms_.bindings();
  stats.waiting_rooms = rooms_.waiting_rooms();
  stats.revision = registry_.changes().latest();
  stats.settled = registry_.settled();
  return stats;
}

WatchMessages MemoryStore::Snapshot(const ServerFilter& filter) {
  MutexLock lock(&mu_);
  return {SnapshotMessages(&registry_, filter), registry_.changes().latest()};
}

absl::StatusOr<WatchMessages> MemoryStore::ChangesAfter(uint64_t number,
                                                        const ServerFilter& filter) {
  MutexLock lock(&mu_);
  if (!registry_.changes().Covers(number)) {
    return absl::OutOfRangeError(absl::StrCat("revision ", number, " is not kept"));
  }
  WatchMessages changes;
  changes.number = registry_.changes().latest();
  std::string message = ChangesMessage(&registry_, number, filter);
  if (!message.empty()) changes.messages.push_back(std::move(message));
  return changes;
}

}  // namespace baton::registry

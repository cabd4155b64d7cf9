#include "bootstrap_service/watch/hub.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "bootstrap_service/registry/check.h"
#include "common/reason.h"

namespace baton::registry {
namespace {

// A restart of the service brings its watchers back within a second or two.
constexpr auto kSnapshotLife = std::chrono::seconds(5);
constexpr size_t kSnapshotsKept = 16;

SharedMessage Share(std::string message) {
  return std::make_shared<const std::string>(std::move(message));
}

}  // namespace

WatchHub::WatchHub(Store* store, const HubOptions& options)
    : store_(store), options_(options), thread_([this] { Run(); }) {
  store_->SetListener([this] {
    MutexLock lock(&signal_mu_);
    changed_ = true;
    signal_.NotifyAll();
  });
}

WatchHub::~WatchHub() {
  store_->SetListener(nullptr);
  Stop("the service is stopping");
  {
    MutexLock lock(&signal_mu_);
    stopped_ = true;
    signal_.NotifyAll();
  }
  thread_.join();
}

absl::StatusOr<WatchHub::First> WatchHub::FirstMessages(const v1::WatchRequest& request,
                                                        const GroupKey& key,
                                                        const ServerFilter& filter) {
  if (!request.has_resume_after()) return SharedSnapshot(key, filter);
  if (request.resume_after().store_epoch() != store_->store_epoch()) {
    return absl::OutOfRangeError("another store epoch");
  }
  auto changes = store_->ChangesAfter(request.resume_after().number(), filter);
  if (!changes.ok()) return changes.status();
  First first{{}, changes->number};
  for (std::string& message : changes->messages)
    first.messages.push_back(Share(std::move(message)));
  return first;
}

WatchHub::First WatchHub::SharedSnapshot(const GroupKey& key, const ServerFilter& filter) {
  const TimePoint now = Monotonic::now();
  std::erase_if(snapshots_, [&](const auto& s) { return s.second.made + kSnapshotLife <= now; });
  if (auto it = snapshots_.find(key); it != snapshots_.end()) {
    auto since = store_->ChangesAfter(it->second.number, filter);
    First first;
    for (const auto& message : it->second.messages) first.messages.push_back(message.lock());
    const bool whole =
        std::find(first.messages.begin(), first.messages.end(), nullptr) == first.messages.end();
    if (since.ok() && whole) {
      first.number = since->number;
      for (std::string& message : since->messages) {
        first.messages.push_back(Share(std::move(message)));
      }
      return first;
    }
  }
  WatchMessages made = store_->Snapshot(filter);
  First first{{}, made.number};
  Snapshot kept{now, made.number, {}};
  for (std::string& message : made.messages) {
    first.messages.push_back(Share(std::move(message)));
    kept.messages.push_back(first.messages.back());
  }
  if (snapshots_.size() < kSnapshotsKept) snapshots_[key] = std::move(kept);
  return first;
}

absl::Status WatchHub::Join(const v1::WatchRequest& request, Watcher* watcher) {
  if (request.servers_size() > static_cast<int>(options_.servers_per_watch)) {
    return Error(Reason::kTooLarge, absl::StrCat("servers: ", request.servers_size(), ", at most ",
                                                 options_.servers_per_watch, " are allowed"));
  }
  for (const std::string& name : request.servers()) {
    if (absl::Status status = CheckName("servers", name); !status.ok()) return status;
  }
  GroupKey key(request.servers().begin(), request.servers().end());
  ServerFilter filter(key.begin(), key.end());
  MutexLock lock(&mu_);
  if (closed_) return Error(Reason::kDraining, "the service is stopping");
  if (where_.size() >= options_.watchers) {
    return Error(Reason::kTooLarge, absl::StrCat("--max_watchers is ", options_.watchers));
  }
  absl::StatusOr<First> first = FirstMessages(request, key, filter);
  if (!first.ok()) {
    watcher->End(Share(CompactedMessage()), absl::OkStatus(), true);
    return absl::OkStatus();
  }
  for (SharedMessage& message : first->messages) watcher->Offer(std::move(message), true);
  Group& group = groups_[key];
  if (group.watchers.empty()) {
    group.filter = std::move(filter);
    group.published = first->number;
    group.told = Monotonic::now();
  }
  group.watchers.insert(watcher);
  where_[watcher] = std::move(key);
  return absl::OkStatus();
}

void WatchHub::Leave(Watcher* watcher) {
  MutexLock lock(&mu_);
  auto it = where_.find(watcher);
  if (it == where_.end()) return;
  auto group = groups_.find(it->second);
  group->second.watchers.erase(watcher);
  if (group->second.watchers.empty()) groups_.erase(group);
  where_.erase(it);
}

void WatchHub::EndAll(Group* group, const std::string& why) {
  SharedMessage last = Share(DroppedMessage(why));
  for (Watcher* watcher : group->watchers) {
    watcher->End(last, Error(Reason::kDraining, why), true);
    where_.erase(watcher);
  }
  group->watchers.clear();
}

void WatchHub::Stop(const std::string& why) {
  MutexLock lock(&mu_);
  closed_ = true;
  for (auto& [key, group] : groups_) EndAll(&group, why);
  groups_.clear();
}

size_t WatchHub::watchers() const {
  MutexLock lock(&mu_);
  return where_.size();
}

std::optional<uint64_t> WatchHub::oldest_published() const {
  MutexLock lock(&mu_);
  std::optional<uint64_t> oldest;
  for (const auto& [key, group] : groups_) {
    oldest = std::min(oldest.value_or(group.published), group.published);
  }
  return oldest;
}

uint64_t WatchHub::dropped() const {
  MutexLock lock(&mu_);
  return dropped_;
}

void WatchHub::Deliver(Group* group, const SharedMessage& message) {
  std::vector<Watcher*> slow;
  for (Watcher* watcher : group->watchers) {
    if (!watcher->Offer(message, false)) slow.push_back(watcher);
  }
  dropped_ += slow.size();
  for (Watcher* watcher : slow) {
    std::string why = "the watcher did not keep up: its queue is full; watch again";
    watcher->End(Share(DroppedMessage(why)), Error(Reason::kFull, why), false);
    group->watchers.erase(watcher);
    where_.erase(watcher);
  }
}

void WatchHub::PublishTo(Group* group, TimePoint now) {
  absl::StatusOr<WatchMessages> changes = store_->ChangesAfter(group->published, group->filter);
  if (!changes.ok()) {
    // More changed between two rounds than the log keeps: every watcher begins anew.
    EndAll(group, "more changed at once than is kept; watch again");
    return;
  }
  group->published = changes->number;
  if (changes->messages.empty() && now - group->told >= options_.bookmark) {
    changes->messages.push_back(BookmarkMessage(store_->store_epoch(), changes->number));
  }
  if (changes->messages.empty()) return;
  group->told = now;
  for (std::string& message : changes->messages) Deliver(group, Share(std::move(message)));
}

void WatchHub::Publish() {
  TimePoint now = Monotonic::now();
  MutexLock lock(&mu_);
  for (auto it = groups_.begin(); it != groups_.end();) {
    PublishTo(&it->second, now);
    it = it->second.watchers.empty() ? groups_.erase(it) : std::next(it);
  }
}

void WatchHub::Run() {
  for (;;) {
    {
      MutexLock lock(&signal_mu_);
      TimePoint idle_ends = Monotonic::now() + options_.bookmark / 4;
      while (!changed_ && !stopped_ && signal_.WaitUntil(&signal_mu_, idle_ends)) {
      }
      // Lets more changes gather.
      TimePoint merge_ends = Monotonic::now() + options_.merge;
      while (changed_ && !stopped_ && signal_.WaitUntil(&signal_mu_, merge_ends)) {
      }
      if (stopped_) return;
      changed_ = false;
    }
    Publish();
  }
}

}  // namespace baton::registry

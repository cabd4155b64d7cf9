// Fans changes out to watchers. One thread asks the store for what has changed, serializes it once
// for all watchers of the same servers, and queues the same bytes at each of them.
//
// A watcher joins with a snapshot (or with what it missed) and then gets every message computed
// after that, so it never sees an older state after a newer one. A watcher whose queue is full is
// ended with a reason; it may come back and resume. Free of gRPC; thread-safe.
#ifndef BATON_BOOTSTRAP_SERVICE_WATCH_HUB_H_
#define BATON_BOOTSTRAP_SERVICE_WATCH_HUB_H_

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "baton/v1/registry.pb.h"
#include "bootstrap_service/store/store.h"
#include "common/clock.h"
#include "common/mutex.h"

namespace baton::registry {

// Shared by the queues of all watchers it goes to.
using SharedMessage = std::shared_ptr<const std::string>;

class Watcher {
 public:
  virtual ~Watcher() = default;
  // Must not block, nor call the hub. False: the queue is full. `first` belongs to the snapshot,
  // which no bound applies to.
  virtual bool Offer(SharedMessage message, bool first) = 0;
  // No Offer follows. `last` goes out after what is queued when `flush`, instead of it otherwise.
  virtual void End(SharedMessage last, const absl::Status& why, bool flush) = 0;
};

struct HubOptions {
  // Changes that lie closer together than this go out together.
  Duration merge = std::chrono::milliseconds(2);
  // A watcher that hears nothing for so long gets a bookmark.
  Duration bookmark = std::chrono::seconds(5);
  uint32_t watchers = 4096;
  uint32_t servers_per_watch = 1024;
};

class WatchHub {
 public:
  WatchHub(Store* store, const HubOptions& options);
  ~WatchHub();

  // Begins with the snapshot, the changes after `resume_after`, or the end of a watch that cannot
  // be resumed. An error: the watcher was not taken in.
  absl::Status Join(const v1::WatchRequest& request, Watcher* watcher);
  // After it returns the watcher is not used any more. Nothing when it is not there.
  void Leave(Watcher* watcher);
  // Ends all watches; none can join any more.
  void Stop(const std::string& why);
  size_t watchers() const;
  // The least revision that some watcher has been sent; unset without watchers.
  std::optional<uint64_t> oldest_published() const;
  // Watchers that were ended because their queue was full.
  uint64_t dropped() const;

 private:
  struct Group {
    ServerFilter filter;
    uint64_t published = 0;
    TimePoint told;
    std::set<Watcher*> watchers;
  };
  using GroupKey = std::set<std::string>;
  // The latest snapshot of a group, for those who come soon after: what watchers hold of it they
  // hold together.
  struct Snapshot {
    TimePoint made;
    uint64_t number = 0;
    std::vector<std::weak_ptr<const std::string>> messages;
  };

  struct First {
    std::vector<SharedMessage> messages;
    uint64_t number = 0;
  };
  absl::StatusOr<First> FirstMessages(const v1::WatchRequest& request, const GroupKey& key,
                                      const ServerFilter& filter)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  First SharedSnapshot(const GroupKey& key, const ServerFilter& filter)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Publish();
  void PublishTo(Group* group, TimePoint now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Deliver(Group* group, const SharedMessage& message) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void EndAll(Group* group, const std::string& why) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Run();

  Store* const store_;
  const HubOptions options_;
  mutable Mutex mu_;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  uint64_t dropped_ ABSL_GUARDED_BY(mu_) = 0;
  std::map<GroupKey, Group> groups_ ABSL_GUARDED_BY(mu_);
  // Of few groups: most watchers want everything.
  std::map<GroupKey, Snapshot> snapshots_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<Watcher*, GroupKey> where_ ABSL_GUARDED_BY(mu_);

  Mutex signal_mu_;
  CondVar signal_;
  bool changed_ ABSL_GUARDED_BY(signal_mu_) = false;
  bool stopped_ ABSL_GUARDED_BY(signal_mu_) = false;
  std::thread thread_;
};

}  // namespace baton::registry

#endif  // BATON_BOOTSTRAP_SERVICE_WATCH_HUB_H_

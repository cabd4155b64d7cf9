#include "bootstrap_service/watch/hub.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bootstrap_service/registry/testing.h"
#include "bootstrap_service/store/memory_store.h"
#include "common/reason.h"
#include "tests/support/eventually.h"

namespace baton::registry {
namespace {

Limits TestLimits(uint32_t changes = 1000) {
  Limits limits;
  limits.settle = Duration::zero();
  limits.changes = changes;
  return limits;
}

// Remembers what it was offered; full when it holds `max` messages beyond the snapshot.
class FakeWatcher : public Watcher {
 public:
  explicit FakeWatcher(size_t max = SIZE_MAX) : max_(max) {}

  bool Offer(SharedMessage message, bool first) override {
    MutexLock lock(&mu_);
    if (!first && held_.size() >= max_) return false;
    held_.push_back(std::move(message));
    return true;
  }
  void End(SharedMessage last, const absl::Status& why, bool flush) override {
    MutexLock lock(&mu_);
    if (!flush) held_.clear();
    held_.push_back(std::move(last));
    ended_ = true;
    why_ = why;
  }

  std::vector<v1::WatchEvent> events() const {
    MutexLock lock(&mu_);
    std::vector<v1::WatchEvent> events;
    for (const SharedMessage& bytes : held_) {
      v1::WatchResponse message;
      EXPECT_TRUE(message.ParseFromString(*bytes));
      events.insert(events.end(), message.events().begin(), message.events().end());
    }
    return events;
  }
  // Whether some event is of `kind`.
  bool Has(v1::WatchEvent::EventCase kind) const {
    for (const v1::WatchEvent& event : events()) {
      if (event.event_case() == kind) return true;
    }
    return false;
  }
  std::vector<const void*> messages() const {
    MutexLock lock(&mu_);
    std::vector<const void*> addresses;
    for (const SharedMessage& bytes : held_) addresses.push_back(bytes.get());
    return addresses;
  }
  bool ended() const {
    MutexLock lock(&mu_);
    return ended_;
  }
  absl::Status why() const {
    MutexLock lock(&mu_);
    return why_;
  }

 private:
  const size_t max_;
  mutable Mutex mu_;
  std::vector<SharedMessage> held_ ABSL_GUARDED_BY(mu_);
  bool ended_ ABSL_GUARDED_BY(mu_) = false;
  absl::Status why_ ABSL_GUARDED_BY(mu_);
};

class Hub : public ::testing::Test {
 protected:
  void Issue(const std::string& name, const std::string& launch = "l") {
    store_.Submit(ServerRequest(name, launch, {1, 1, 1, 1}),
                  [](const auto& answer) { EXPECT_TRUE(answer.ok()) << answer.status(); });
  }
  static v1::WatchRequest Resume(uint64_t store_epoch, uint64_t number) {
    v1::WatchRequest request;
    request.mutable_resume_after()->set_store_epoch(store_epoch);
    request.mutable_resume_after()->set_number(number);
    return request;
  }
  static v1::WatchRequest Of(const std::string& name) {
    v1::WatchRequest request;
    request.add_servers(name);
    return request;
  }

  HubOptions options_;
  MemoryStore store_{TestLimits(), 7};
};

TEST_F(Hub, BeginsWithASnapshotAndGoesOnWithChanges) {
  WatchHub hub(&store_, options_);
  Issue("a");
  FakeWatcher watcher;
  ASSERT_TRUE(hub.Join({}, &watcher).ok());
  auto events = watcher.events();
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[0].server().name(), "a");
  EXPECT_TRUE(events[1].settled());
  EXPECT_TRUE(events[2].snapshot_done());
  Issue("b");
  ASSERT_TRUE(Eventually([&] { return watcher.events().size() > 3; }));
  EXPECT_EQ(watcher.events()[3].server().name(), "b");
  hub.Leave(&watcher);
}

TEST_F(Hub, OneSerializationServesAllWatchersOfTheSameServers) {
  WatchHub hub(&store_, options_);
  FakeWatcher first;
  FakeWatcher second;
  FakeWatcher other;
  ASSERT_TRUE(hub.Join({}, &first).ok());
  ASSERT_TRUE(hub.Join({}, &second).ok());
  ASSERT_TRUE(hub.Join(Of("b"), &other).ok());
  Issue("a");
  ASSERT_TRUE(
      Eventually([&] { return first.messages().size() == 2 && second.messages().size() == 2; }));
  EXPECT_EQ(first.messages()[1], second.messages()[1]);
  EXPECT_EQ(other.messages().size(), 1u);
  Issue("b");
  ASSERT_TRUE(Eventually([&] { return other.messages().size() == 2; }));
  for (FakeWatcher* watcher : {&first, &second, &other}) hub.Leave(watcher);
}

// Forty watchers that did not read held forty copies of all that is registered.
TEST_F(Hub, OneSnapshotServesAllWhoComeSoonAfterEachOther) {
  WatchHub hub(&store_, options_);
  Issue("a");
  FakeWatcher first;
  FakeWatcher second;
  ASSERT_TRUE(hub.Join({}, &first).ok());
  Issue("b");
  ASSERT_TRUE(hub.Join({}, &second).ok());
  EXPECT_EQ(first.messages()[0], second.messages()[0]);
  // What came in between is told behind it.
  ASSERT_EQ(second.messages().size(), 2u);
  const auto events = second.events();
  EXPECT_EQ(events.back().server().name(), "b");
  FakeWatcher other;
  ASSERT_TRUE(hub.Join(Of("b"), &other).ok());
  EXPECT_NE(other.messages()[0], second.messages()[0]);
  for (FakeWatcher* watcher : {&first, &second, &other}) hub.Leave(watcher);
}

TEST_F(Hub, ResumesAfterARevisionThatIsKept) {
  WatchHub hub(&store_, options_);
  Issue("a");
  uint64_t number = store_.Snapshot({}).number;
  Issue("b");
  FakeWatcher watcher;
  ASSERT_TRUE(hub.Join(Resume(7, number), &watcher).ok());
  auto events = watcher.events();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].server().name(), "b");
  EXPECT_FALSE(watcher.ended());
  hub.Leave(&watcher);
}

TEST_F(Hub, AnswersCompactedToARevisionThatIsNot) {
  MemoryStore store(TestLimits(4), 7);
  WatchHub hub(&store, options_);
  for (int i = 0; i < 10; ++i) {
    store.Submit(ServerRequest(absl::StrCat(i), "l", {1, 1, 1, 1}), [](const auto&) {});
  }
  for (const auto& request : {Resume(7, 2), Resume(8, 10), Resume(7, 99)}) {
    FakeWatcher watcher;
    ASSERT_TRUE(hub.Join(request, &watcher).ok());
    EXPECT_TRUE(watcher.ended());
    EXPECT_TRUE(watcher.Has(v1::WatchEvent::kCompacted));
    EXPECT_TRUE(watcher.why().ok());
  }
  EXPECT_EQ(hub.watchers(), 0u);
}

TEST_F(Hub, DropsAWatcherThatDoesNotKeepUpAndNobodyElse) {
  WatchHub hub(&store_, options_);
  FakeWatcher slow(2);
  FakeWatcher quick;
  ASSERT_TRUE(hub.Join({}, &slow).ok());
  ASSERT_TRUE(hub.Join({}, &quick).ok());
  for (int i = 0; !slow.ended(); ++i) {
    size_t before = quick.messages().size();
    Issue("a", absl::StrCat(i));
    ASSERT_TRUE(Eventually([&] { return quick.messages().size() > before; }));
    ASSERT_LT(i, 10);
  }
  EXPECT_EQ(ReasonOf(slow.why()), Reason::kFull);
  auto events = slow.events();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_THAT(events[0].dropped(), ::testing::HasSubstr("did not keep up"));
  EXPECT_FALSE(quick.ended());
  EXPECT_EQ(hub.watchers(), 1u);
  hub.Leave(&quick);
}

TEST_F(Hub, SendsABookmarkWhenNothingHappens) {
  options_.bookmark = std::chrono::milliseconds(20);
  WatchHub hub(&store_, options_);
  FakeWatcher watcher;
  ASSERT_TRUE(hub.Join({}, &watcher).ok());
  EXPECT_TRUE(Eventually([&] { return watcher.Has(v1::WatchEvent::kBookmark); }));
  hub.Leave(&watcher);
}

TEST_F(Hub, EndsEveryWatchWhenItStops) {
  WatchHub hub(&store_, options_);
  FakeWatcher watcher;
  ASSERT_TRUE(hub.Join({}, &watcher).ok());
  hub.Stop("maintenance");
  EXPECT_TRUE(watcher.ended());
  EXPECT_TRUE(watcher.Has(v1::WatchEvent::kDropped));
  FakeWatcher late;
  EXPECT_EQ(ReasonOf(hub.Join({}, &late)), Reason::kDraining);
}

TEST_F(Hub, RefusesWhatIsBeyondItsLimitsByName) {
  options_.watchers = 1;
  options_.servers_per_watch = 1;
  WatchHub hub(&store_, options_);
  FakeWatcher watcher;
  v1::WatchRequest two = Of("a");
  two.add_servers("b");
  EXPECT_EQ(ReasonOf(hub.Join(two, &watcher)), Reason::kTooLarge);
  EXPECT_EQ(ReasonOf(hub.Join(Of("no spaces"), &watcher)), Reason::kBadSpec);
  ASSERT_TRUE(hub.Join({}, &watcher).ok());
  FakeWatcher second;
  absl::Status refused = hub.Join({}, &second);
  EXPECT_THAT(std::string(refused.message()), ::testing::HasSubstr("--max_watchers is 1"));
  hub.Leave(&watcher);
}

}  // namespace
}  // namespace baton::registry

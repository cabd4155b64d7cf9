// The registry's small parts, each by itself.
#include <gtest/gtest.h>

#include "bootstrap_service/registry/batch.h"
#include "bootstrap_service/registry/changes.h"
#include "bootstrap_service/registry/difference.h"
#include "bootstrap_service/registry/expiry.h"
#include "bootstrap_service/registry/names.h"
#include "bootstrap_service/registry/slot_set.h"
#include "bootstrap_service/registry/testing.h"

namespace baton::registry {
namespace {

TEST(Topology, NumbersSlotsWithTpFastest) {
  RankCoord sizes{2, 3, 4, 5};
  uint32_t slot = 0;
  for (uint32_t dp = 0; dp < 2; ++dp) {
    for (uint32_t pp = 0; pp < 3; ++pp) {
      for (uint32_t cp = 0; cp < 4; ++cp) {
        for (uint32_t tp = 0; tp < 5; ++tp, ++slot) {
          EXPECT_EQ(SlotOf({dp, pp, cp, tp}, sizes), slot);
          EXPECT_EQ(CoordOf(slot, sizes), (RankCoord{dp, pp, cp, tp}));
        }
      }
    }
  }
  EXPECT_EQ(SlotsOf(sizes, 120), 120u);
  EXPECT_EQ(SlotsOf(sizes, 119), 0u);
  EXPECT_EQ(SlotsOf({0, 1, 1, 1}, 10), 0u);
  EXPECT_EQ(SlotsOf({UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX}, 65536), 0u);
}

TEST(SlotSet, IsFullWhenEachIsInIt) {
  SlotSet set(2);
  EXPECT_TRUE(set.Insert(0));
  EXPECT_FALSE(set.Insert(0));
  EXPECT_FALSE(set.full());
  EXPECT_TRUE(set.Insert(1));
  EXPECT_TRUE(set.full());
  EXPECT_TRUE(set.Erase(0));
  EXPECT_FALSE(set.Erase(0));
  EXPECT_EQ(set.size(), 1u);
}

TEST(Expiry, GivesWhatIsDueEarliestFirst) {
  Expiry<int> expiry;
  TimePoint start{};
  expiry.Push(start + 3 * kMs, 3);
  expiry.Push(start + 1 * kMs, 1);
  expiry.Push(start + 2 * kMs, 2);
  EXPECT_EQ(expiry.PopDue(start), std::nullopt);
  EXPECT_EQ(expiry.PopDue(start + 2 * kMs), 1);
  EXPECT_EQ(expiry.PopDue(start + 2 * kMs), 2);
  EXPECT_EQ(expiry.PopDue(start + 2 * kMs), std::nullopt);
  EXPECT_EQ(expiry.next(), start + 3 * kMs);
}

TEST(ChangeLog, KnowsWhichRevisionsItCovers) {
  ChangeLog log(3);
  EXPECT_EQ(log.latest(), 0u);
  EXPECT_TRUE(log.Covers(0));
  EXPECT_FALSE(log.Covers(1));
  for (uint32_t i = 1; i <= 5; ++i) log.Append({nullptr, i, ChangeKind::kSlot});
  EXPECT_EQ(log.latest(), 5u);
  EXPECT_FALSE(log.Covers(1));
  EXPECT_TRUE(log.Covers(2));
  EXPECT_TRUE(log.Covers(5));
  EXPECT_FALSE(log.Covers(6));
  EXPECT_EQ(log.at(3).slot, 3u);
  EXPECT_EQ(log.at(5).slot, 5u);
}

TEST(Names, ForgetTheLongestGoneFirstAndNeverOneThatIsHere) {
  Names names(2);
  names.Note("a", {"l", Incarnation(1)});
  names.Note("b", {"l", Incarnation(2)});
  names.NoteGone("b");
  names.NoteGone("a");
  names.Note("a", {"l2", Incarnation(3)});
  names.Note("c", {"l", Incarnation(4)});
  EXPECT_EQ(names.Latest("b"), nullptr);
  ASSERT_NE(names.Latest("a"), nullptr);
  EXPECT_EQ(names.Latest("a")->incarnation, Incarnation(3));
  EXPECT_NE(names.Replaced("a", "l"), nullptr);
  EXPECT_EQ(names.Replaced("a", "l2"), nullptr);
  names.Note("d", {"l", Incarnation(5)});
  EXPECT_NE(names.Latest("a"), nullptr);
  EXPECT_NE(names.Latest("c"), nullptr);
}

TEST(Names, RememberAFewLaunches) {
  Names names(2);
  for (int i = 0; i <= 20; ++i) names.Note("a", {absl::StrCat(i), Incarnation(i + 1)});
  EXPECT_NE(names.Replaced("a", "19"), nullptr);
  EXPECT_EQ(names.Replaced("a", "1"), nullptr);
}

TEST(Names, StayBoundedUnderAFloodOfComingAndGoing) {
  Names names(10);
  for (int i = 0; i < 1000; ++i) {
    std::string name = absl::StrCat("n", i % 50);
    names.Note(name, {absl::StrCat(i), Incarnation(i + 1)});
    names.NoteGone(name);
    EXPECT_LE(names.size(), 10u);
  }
}

TEST(FirstDifference, NamesThePathAndBothValues) {
  v1::ServerSpec a = TestSpec({1, 2, 1, 2});
  v1::ServerSpec b = a;
  EXPECT_EQ(FirstDifference(a, b), std::nullopt);
  b.mutable_tensors(0)->set_heads(4);
  auto found = FirstDifference(a, b);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->field, "tensors[0].heads");
  EXPECT_EQ(found->first, "8");
  EXPECT_EQ(found->second, "4");
  b.mutable_stages(1)->add_layers(7);
  found = FirstDifference(a, b);
  EXPECT_EQ(found->field, "stages[1].layers.size");
  b = a;
  b.set_cp_sharding(v1::CP_SHARDING_ZIGZAG);
  EXPECT_EQ(FirstDifference(a, b)->second, "CP_SHARDING_ZIGZAG");
}

TEST(Snapshot, IsCutIntoMessagesAndOnlyTheLastHasARevision) {
  TestClock clock;
  Limits limits;
  limits.settle = Duration::zero();
  Registry registry(limits, 9, clock.now);
  for (int i = 0; i < 50; ++i) {
    auto request = ServerRequest(absl::StrCat("s", i), "l", {1, 1, 1, 1});
    for (int label = 0; label < 64; ++label) {
      (*request.mutable_labels())[absl::StrCat(label)] = std::string(kLabelValueBytesMax, 'x');
    }
    ASSERT_TRUE(registry.Apply(request, clock.now).ok());
  }
  std::vector<std::string> messages = SnapshotMessages(&registry, {});
  ASSERT_GT(messages.size(), 2u);
  int servers = 0;
  for (const std::string& bytes : messages) {
    v1::WatchResponse message;
    ASSERT_TRUE(message.ParseFromString(bytes));
    for (const auto& event : message.events()) servers += event.has_server();
    EXPECT_EQ(message.has_revision(), &bytes == &messages.back());
  }
  EXPECT_EQ(servers, 50);
}

TEST(Changes, OfServersThatNobodyAskedForAreLeftOut) {
  TestClock clock;
  Limits limits;
  limits.settle = Duration::zero();
  Registry registry(limits, 9, clock.now);
  uint64_t before = registry.changes().latest();
  ASSERT_TRUE(registry.Apply(ServerRequest("a", "l", {1, 1, 1, 1}), clock.now).ok());
  EXPECT_EQ(ChangesMessage(&registry, before, {"b"}), "");
  v1::WatchResponse message;
  ASSERT_TRUE(message.ParseFromString(ChangesMessage(&registry, before, {"a", "b"})));
  ASSERT_EQ(message.events_size(), 1);
  EXPECT_EQ(message.events(0).server().name(), "a");
  EXPECT_EQ(message.revision().number(), registry.changes().latest());
}

}  // namespace
}  // namespace baton::registry

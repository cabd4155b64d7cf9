#include "transfer_agent/worker/remote_ranks.h"

#include <gtest/gtest.h>

namespace baton::worker {
namespace {

using transport::PeerId;

const RankRef kRank{"prefill-a", {0, 0, 0, 0}};

std::shared_ptr<const RemoteRank> Rank(PeerId peer, uint64_t incarnation, uint64_t epoch) {
  auto rank = std::make_shared<RemoteRank>();
  rank->rank = kRank;
  rank->peer = peer;
  rank->incarnation = Incarnation(incarnation);
  rank->epoch = Epoch(epoch);
  return rank;
}

class RemoteRanksTest : public testing::Test {
 protected:
  void Announce(PeerId peer, const RemoteRanks::Announced& ranks) {
    ranks_.Announce(peer, ranks, [&](const RemoteRank& rank) { forgotten_.push_back(&rank); });
  }

  const PeerId one_{1};
  const PeerId two_{2};
  RemoteRanks ranks_;
  std::vector<const RemoteRank*> forgotten_;
};

TEST_F(RemoteRanksTest, AreKnownForAsLongAsOneOfTwoLinksAnnouncesThem) {
  auto first = Rank(one_, 5, 9);
  auto second = Rank(two_, 5, 9);
  Announce(one_, {first});
  Announce(two_, {second});
  EXPECT_EQ(ranks_.Find(kRank), first);
  Announce(one_, {});
  EXPECT_EQ(ranks_.Find(kRank), second);
  EXPECT_EQ(forgotten_, std::vector<const RemoteRank*>{first.get()});
  Announce(two_, {});
  EXPECT_EQ(ranks_.Find(kRank), nullptr);
}

TEST_F(RemoteRanksTest, ALaterStartHidesAnEarlierOneInWhateverOrderTheyCome) {
  auto later = Rank(one_, 6, 9);
  Announce(one_, {later});
  Announce(two_, {Rank(two_, 5, 8)});
  EXPECT_EQ(ranks_.Find(kRank), later);
  EXPECT_TRUE(forgotten_.empty());
  auto latest = Rank(two_, 7, 8);
  Announce(two_, {latest});
  EXPECT_EQ(ranks_.Find(kRank), latest);
}

TEST_F(RemoteRanksTest, AnAgentThatStartedAgainReplacesItsFormerSelf) {
  auto before = Rank(one_, 5, 8);
  auto after = Rank(two_, 5, 9);
  Announce(one_, {before});
  Announce(two_, {after});
  EXPECT_EQ(ranks_.Find(kRank), after);
  EXPECT_EQ(forgotten_, std::vector<const RemoteRank*>{before.get()});
  Announce(one_, {});
  EXPECT_EQ(ranks_.Find(kRank), after);
}

TEST_F(RemoteRanksTest, ARenewedAnnouncementReplacesTheOneBeforeIt) {
  auto before = Rank(one_, 5, 9);
  auto after = Rank(one_, 5, 9);
  Announce(one_, {before});
  Announce(one_, {after});
  EXPECT_EQ(ranks_.Find(kRank), after);
  EXPECT_EQ(forgotten_, std::vector<const RemoteRank*>{before.get()});
}

TEST_F(RemoteRanksTest, AreFoundByTheLinkThatSpeaksOfThemAndForgottenWithIt) {
  auto first = Rank(one_, 5, 9);
  auto second = Rank(two_, 5, 9);
  Announce(one_, {first});
  Announce(two_, {second});
  EXPECT_EQ(ranks_.FindFrom(one_, kRank), first);
  EXPECT_EQ(ranks_.FindFrom(two_, kRank), second);
  Announce(two_, {});
  EXPECT_EQ(ranks_.FindFrom(two_, kRank), nullptr);
  EXPECT_EQ(forgotten_, std::vector<const RemoteRank*>{second.get()});
}

TEST_F(RemoteRanksTest, AreVisitedOnceForEachLinkThatAnnouncesThem) {
  Announce(one_, {Rank(one_, 5, 9)});
  Announce(two_, {Rank(two_, 6, 9)});
  std::vector<PeerId> visited;
  ranks_.ForEach([&](const RemoteRank& rank) { visited.push_back(rank.peer); });
  EXPECT_EQ(visited, (std::vector<PeerId>{one_, two_}));
}

TEST_F(RemoteRanksTest, AreFoundBehindALouderOneWhenTheyFit) {
  auto registered = Rank(one_, 5, 9);
  Announce(one_, {registered});
  Announce(two_, {Rank(two_, 6, 8)});
  EXPECT_EQ(ranks_.FindIf(kRank, [](const RemoteRank& rank) { return rank.epoch == Epoch(9); }),
            registered);
  EXPECT_EQ(ranks_.FindIf(kRank, [](const RemoteRank&) { return false; }), nullptr);
}

}  // namespace
}  // namespace baton::worker

#include "transfer_agent/transport/verbs/fences.h"

#include <chrono>
#include <fstream>
#include <sstream>
#include <string>

#include "gtest/gtest.h"

namespace baton::transport::verbs {
namespace {

using std::chrono::milliseconds;

constexpr PeerId kPeer{1};
constexpr PeerId kOther{2};
constexpr OfferId kOffer{.slot = 7, .generation = 3};
constexpr OfferId kNext{.slot = 8, .generation = 3};

TimePoint At(int ms) { return TimePoint() + std::chrono::hours(1) + milliseconds(ms); }

struct Clocked {
  Clocked() {
    fences.Ask({.peer = kPeer, .offer = kOffer});
    EXPECT_TRUE(fences.Late(At(0)).empty());
  }
  // In the state in which only the device is waited for.
  void ToResetting() {
    EXPECT_EQ(fences.Late(At(100)), std::vector<PeerId>{kPeer});
    EXPECT_TRUE(fences.Revoked(kPeer, /*all=*/true, At(100)));
  }

  Fences fences{milliseconds(100), milliseconds(30)};
};

TEST(VerbsFences, AreDrawnAsTheyAre) {
  std::ifstream file("docs/states/verbs_fence.dot");
  std::stringstream drawn;
  drawn << file.rdbuf();
  const std::string dot =
      RenderDot<FenceState, FenceEvent>("verbs_fence", kFenceRows, FenceState::kAsked);
  EXPECT_EQ(drawn.str(), dot) << "docs/states/verbs_fence.dot should hold:\n" << dot;
}

TEST(VerbsFences, EndByTheSourcesWordWhateverElseIsUnderWay) {
  for (int steps : {0, 1, 2}) {
    Clocked c;
    EXPECT_EQ(c.fences.Late(At(steps == 0 ? 50 : 100)).size(), steps == 0 ? 0u : 1u);
    EXPECT_EQ(c.fences.Revoked(kPeer, /*all=*/steps == 2, At(100)), steps == 2);
    EXPECT_TRUE(c.fences.Pending(kPeer));
    const auto ended = c.fences.Answer(kPeer, kOffer);
    ASSERT_TRUE(ended.has_value()) << steps;
    EXPECT_EQ(ended->offer, kOffer);
    EXPECT_FALSE(c.fences.Pending(kPeer));
    EXPECT_FALSE(c.fences.Owes(kPeer));
    EXPECT_FALSE(c.fences.NextDue().has_value());
    EXPECT_FALSE(c.fences.Answer(kPeer, kOffer).has_value()) << "told of twice";
  }
}

TEST(VerbsFences, WaitForTheAnswerAndNoLonger) {
  Clocked c;
  EXPECT_EQ(c.fences.NextDue(), At(100));
  EXPECT_TRUE(c.fences.Late(At(99)).empty());
  EXPECT_EQ(c.fences.Late(At(100)), std::vector<PeerId>{kPeer});
}

TEST(VerbsFences, WaitForTheKeysAndNoLonger) {
  Clocked c;
  EXPECT_EQ(c.fences.Late(At(100)).size(), 1u);
  EXPECT_FALSE(c.fences.Revoked(kPeer, /*all=*/false, At(100)));
  EXPECT_TRUE(c.fences.Reset(kPeer).empty()) << "its channels are not down";
  EXPECT_EQ(c.fences.Late(At(129)).size(), 1u);
  EXPECT_FALSE(c.fences.Revoked(kPeer, /*all=*/false, At(129)));
  EXPECT_TRUE(c.fences.Revoked(kPeer, /*all=*/false, At(130)));
  EXPECT_EQ(c.fences.Reset(kPeer).size(), 1u);
}

TEST(VerbsFences, AreTriedAgainWhileTheDeviceTakesNoQueuePairDown) {
  Clocked c;
  c.ToResetting();
  EXPECT_EQ(c.fences.Late(At(105)), std::vector<PeerId>{kPeer});
  EXPECT_TRUE(c.fences.Revoked(kPeer, /*all=*/false, At(105)));
  EXPECT_TRUE(c.fences.Pending(kPeer));
  EXPECT_TRUE(c.fences.NextDue().has_value());
  EXPECT_EQ(c.fences.Reset(kPeer).size(), 1u);
}

TEST(VerbsFences, LetASourceThatNeverAnsweredOpenNoChannelUntilItDoes) {
  Clocked c;
  c.ToResetting();
  EXPECT_EQ(c.fences.Reset(kPeer).size(), 1u);
  EXPECT_TRUE(c.fences.Reset(kPeer).empty()) << "told of twice";
  EXPECT_TRUE(c.fences.Owes(kPeer));
  EXPECT_FALSE(c.fences.Pending(kPeer)) << "it holds";
  EXPECT_FALSE(c.fences.Owes(kOther));
  EXPECT_TRUE(c.fences.Late(At(5000)).empty()) << "nothing is to be done for it";
  EXPECT_FALSE(c.fences.Answer(kPeer, kNext).has_value());
  EXPECT_TRUE(c.fences.Owes(kPeer)) << "another offer's answer";
  EXPECT_FALSE(c.fences.Answer(kPeer, kOffer).has_value()) << "told of twice";
  EXPECT_FALSE(c.fences.Owes(kPeer));
}

TEST(VerbsFences, OfAPeerThatIsGoneAreLateAtOnceAndOweNothing) {
  Clocked c;
  c.ToResetting();
  EXPECT_EQ(c.fences.Reset(kPeer).size(), 1u);
  c.fences.Ask({.peer = kPeer, .offer = kNext});
  c.fences.Ask({.peer = kOther, .offer = kOffer});
  c.fences.GiveUp(kPeer);
  EXPECT_FALSE(c.fences.Owes(kPeer));
  EXPECT_EQ(c.fences.Late(At(101)), std::vector<PeerId>{kPeer}) << "the other has time left";
  EXPECT_TRUE(c.fences.Revoked(kPeer, /*all=*/true, At(101)));
  ASSERT_EQ(c.fences.Reset(kPeer).size(), 1u);
  EXPECT_FALSE(c.fences.Owes(kPeer));
  EXPECT_TRUE(c.fences.Pending(kOther));
}

TEST(VerbsFences, OfOnePeerKeepTheirOwnTimes) {
  Clocked c;
  EXPECT_TRUE(c.fences.Late(At(50)).empty());
  c.fences.Ask({.peer = kPeer, .offer = kNext});
  EXPECT_TRUE(c.fences.Late(At(50)).empty());
  c.ToResetting();
  const auto first = c.fences.Reset(kPeer);
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(first[0].offer, kOffer);
  EXPECT_TRUE(c.fences.Pending(kPeer));
  EXPECT_EQ(c.fences.NextDue(), At(150));
}

TEST(VerbsFences, TellOfARetiredChannelBehindThePartsThatHadCome) {
  Fences fences(milliseconds(100), milliseconds(30));
  fences.Retire(ChannelId(1), 4);
  fences.Retire(ChannelId(2), 6);
  EXPECT_TRUE(fences.TakeRetired(3).empty());
  EXPECT_EQ(fences.TakeRetired(5), std::vector<ChannelId>{ChannelId(1)});
  EXPECT_EQ(fences.TakeRetired(6), std::vector<ChannelId>{ChannelId(2)});
  EXPECT_TRUE(fences.TakeRetired(9).empty()) << "told of twice";
}

}  // namespace
}  // namespace baton::transport::verbs

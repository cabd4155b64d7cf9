#include "client/router/abort_calls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/router/testing.h"
#include "common/reason.h"

namespace baton::router {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class AbortCallsTest : public ::testing::Test {
 protected:
  void Abort(const std::set<std::string>& agents) {
    ASSERT_TRUE(calls_
                    .Abort({1, 2}, agents, "why", now_ + seconds(5),
                           [this](const absl::Status& status) { done_.push_back(status); })
                    .ok());
  }

  AbortCalls calls_{1};
  TimePoint now_ = TimePoint(seconds(100));
  std::vector<absl::Status> done_;
};

TEST(AgentsOf, ListsTheAgentsOfTheDpRankAlone) {
  auto server = router_testing::Prefill("p", {"bf16", 2, 2});
  EXPECT_THAT(AgentsOf(*server, 0), ElementsAre("p:7000"));
  EXPECT_THAT(AgentsOf(*server, 1), ElementsAre("p:7001"));
  EXPECT_THAT(AgentsOf(*server, 2), IsEmpty());
}

TEST_F(AbortCallsTest, IsDoneWhenEveryAgentHasAnswered) {
  Abort({"a:1", "b:1"});
  auto due = calls_.Step(now_);
  ASSERT_THAT(due, SizeIs(2));
  EXPECT_EQ(due[0].address, "a:1");
  EXPECT_EQ(due[0].room, (RoomKey{1, 2}));
  EXPECT_THAT(calls_.Step(now_), IsEmpty());
  calls_.OnAnswer(due[1].id, absl::OkStatus(), now_);
  EXPECT_THAT(done_, IsEmpty());
  calls_.OnAnswer(due[0].id, absl::OkStatus(), now_);
  EXPECT_THAT(done_, ElementsAre(absl::OkStatus()));
}

TEST_F(AbortCallsTest, TriesAgainWhatMayPass) {
  Abort({"a:1"});
  auto due = calls_.Step(now_);
  calls_.OnAnswer(due[0].id, Error(Reason::kPeerLost, "gone"), now_);
  EXPECT_THAT(done_, IsEmpty());
  EXPECT_THAT(calls_.Step(now_), IsEmpty());
  now_ = calls_.next(now_);
  due = calls_.Step(now_);
  ASSERT_THAT(due, SizeIs(1));
  calls_.OnAnswer(due[0].id, absl::OkStatus(), now_);
  EXPECT_THAT(done_, ElementsAre(absl::OkStatus()));
}

TEST_F(AbortCallsTest, GivesUpAtItsDeadlineAndNamesTheAgent) {
  Abort({"a:1"});
  const TimePoint ends = now_ + seconds(5);
  for (int attempt = 0; attempt < 100 && done_.empty(); ++attempt) {
    for (const auto& call : calls_.Step(now_)) {
      EXPECT_LE(now_ + call.deadline, ends + milliseconds(1));
      calls_.OnAnswer(call.id, Error(Reason::kPeerLost, "gone"), now_);
    }
    now_ = calls_.next(now_);
  }
  ASSERT_THAT(done_, SizeIs(1));
  EXPECT_THAT(std::string(done_[0].message()), HasSubstr("a:1"));
  EXPECT_LE(now_, ends + seconds(3600));
}

TEST_F(AbortCallsTest, DoesNotRepeatWhatIsRefusedForGood) {
  Abort({"a:1", "b:1"});
  auto due = calls_.Step(now_);
  calls_.OnAnswer(due[0].id, Error(Reason::kBadMessage, "no"), now_);
  calls_.OnAnswer(due[1].id, absl::OkStatus(), now_);
  ASSERT_THAT(done_, SizeIs(1));
  EXPECT_EQ(ReasonOf(done_[0]), Reason::kBadMessage);
}

TEST_F(AbortCallsTest, NobodyToTellIsDone) {
  Abort({});
  EXPECT_THAT(done_, IsEmpty());
  EXPECT_THAT(calls_.Step(now_), IsEmpty());
  EXPECT_THAT(done_, ElementsAre(absl::OkStatus()));
}

TEST_F(AbortCallsTest, AFloodIsRefused) {
  std::set<std::string> agents;
  for (size_t i = 0; i < AbortCalls::kCallsMax; ++i) agents.insert(std::to_string(i));
  Abort(agents);
  absl::Status full = calls_.Abort({1, 3}, {"x"}, "", now_ + seconds(1), nullptr);
  EXPECT_EQ(ReasonOf(full), Reason::kFull);
  calls_.Stop(Error(Reason::kAborted, "stopped"));
  ASSERT_THAT(done_, SizeIs(1));
  EXPECT_EQ(ReasonOf(done_[0]), Reason::kAborted);
}

}  // namespace
}  // namespace baton::router

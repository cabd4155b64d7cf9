#include "client/bootstrap/registrar_core.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "absl/strings/str_cat.h"
#include "common/reason.h"

namespace baton {
namespace {

using ::testing::ElementsAre;

constexpr auto kMs = std::chrono::milliseconds(1);

class Recorder : public RegistrarEvents {
 public:
  void OnRegistered(const RankRef& rank, Incarnation incarnation) override {
    said.push_back(absl::StrCat("registered tp", rank.coord.tp, " ", incarnation.value()));
  }
  void OnRegistrationFailing(const RankRef& rank, const absl::Status& cause,
                             bool decides) override {
    said.push_back(absl::StrCat("failing tp", rank.coord.tp, " ", ReasonName(ReasonOf(cause)),
                                decides ? "" : ", goes on"));
  }
  void OnLeaseLost(const RankRef& rank) override {
    said.push_back(absl::StrCat("lost tp", rank.coord.tp));
  }
  std::vector<std::string> Take() { return std::exchange(said, {}); }

  std::vector<std::string> said;
};

class RegistrarCoreTest : public ::testing::Test {
 protected:
  RegistrarCoreTest() : core_(Options(), &events_, 1) {}

  static RegistrarOptions Options() {
    RegistrarOptions options;
    options.agent_address = "10.0.0.1:7000";
    options.epoch = Epoch(9);
    return options;
  }
  void Add(uint32_t tp) {
    planner::ServerSpec spec;
    spec.sizes = {1, 1, 1, 4};
    core_.Add({{"p", {0, 0, 0, tp}}, Role::kDecode, "launch", "m", spec, {{"k", "v"}}, {"alias"}},
              now_);
  }
  RegistrarCore::Calls Step() { return core_.Step(now_); }
  void Issue(const RegistrarCore::Calls& calls, uint64_t incarnation) {
    ASSERT_EQ(calls.servers.size(), 1u);
    v1::RegisterServerResponse answer;
    answer.set_incarnation(incarnation);
    core_.OnServer(calls.servers[0].first, answer, now_);
  }
  static v1::RegisterRankResponse Granted(uint64_t lease) {
    v1::RegisterRankResponse answer;
    answer.set_lease_id(lease);
    answer.set_lease_ms(3000);
    return answer;
  }
  // Adds ranks tp 0..count-1 and has them registered with leases 100 + tp.
  void RegisterAll(uint32_t count) {
    for (uint32_t tp = 0; tp < count; ++tp) Add(tp);
    Issue(Step(), 5);
    RegistrarCore::Calls calls = Step();
    for (uint32_t i = 0; i < count; ++i) core_.OnRank(calls.ranks[i].first, Granted(100 + i), now_);
    events_.Take();
  }
  void Renew(std::initializer_list<uint64_t> unknown = {}) {
    v1::KeepAliveResponse answer;
    answer.mutable_unknown_lease_ids()->Add(unknown.begin(), unknown.end());
    answer.set_lease_ms(3000);
    core_.OnKeepAlive(answer, now_);
  }

  Recorder events_;
  TimePoint now_{std::chrono::hours(1)};
  RegistrarCore core_;
};

TEST_F(RegistrarCoreTest, AsksOnceForTheIncarnationAndThenForEachSlot) {
  Add(0);
  Add(1);
  auto calls = Step();
  ASSERT_EQ(calls.servers.size(), 1u);
  EXPECT_EQ(calls.servers[0].second.launch_id(), "launch");
  EXPECT_EQ(calls.servers[0].second.labels().at("k"), "v");
  ASSERT_EQ(calls.servers[0].second.aliases_size(), 1);
  EXPECT_EQ(calls.servers[0].second.aliases(0), "alias");
  EXPECT_TRUE(calls.ranks.empty());
  EXPECT_TRUE(Step().servers.empty());
  Issue(calls, 5);
  calls = Step();
  ASSERT_EQ(calls.ranks.size(), 2u);
  EXPECT_EQ(calls.ranks[1].second.incarnation(), 5u);
  EXPECT_EQ(calls.ranks[1].second.rank().coord().tp(), 1u);
  EXPECT_EQ(calls.ranks[1].second.rank().epoch(), 9u);
  EXPECT_EQ(calls.ranks[1].second.aliases_size(), 1);
  EXPECT_EQ(calls.ranks[1].second.role(), v1::ROLE_DECODE);
  EXPECT_TRUE(Step().ranks.empty());
  core_.OnRank(calls.ranks[1].first, Granted(7), now_);
  EXPECT_THAT(events_.Take(), ElementsAre("registered tp1 5"));
  EXPECT_THAT(core_.leases(), ElementsAre(7));
}

TEST_F(RegistrarCoreTest, TriesForEverWithDelaysThatAreCappedByTheLease) {
  Add(0);
  for (int i = 0; i < 50; ++i) {
    auto calls = Step();
    ASSERT_EQ(calls.servers.size(), 1u) << i;
    core_.OnServer(calls.servers[0].first, Error(Reason::kPeerLost, "refused"), now_);
    EXPECT_THAT(events_.Take(), ElementsAre("failing tp0 PEER_LOST"));
    EXPECT_TRUE(Step().servers.empty());
    TimePoint next = core_.next(now_);
    EXPECT_GT(next, now_);
    EXPECT_LE(next, now_ + 1000 * kMs);
    now_ = next;
  }
}

TEST_F(RegistrarCoreTest, DoesNotTryAgainWhatIsRefusedForGood) {
  Add(0);
  Add(1);
  Issue(Step(), 5);
  auto calls = Step();
  core_.OnRank(calls.ranks[0].first, Error(Reason::kSpecMismatch, "dtype"), now_);
  core_.OnRank(calls.ranks[1].first, Error(Reason::kStaleIncarnation, "old"), now_);
  EXPECT_THAT(events_.Take(),
              ElementsAre("failing tp0 SPEC_MISMATCH", "failing tp1 STALE_INCARNATION"));
  now_ += std::chrono::hours(1);
  calls = Step();
  EXPECT_TRUE(calls.ranks.empty());
  EXPECT_TRUE(calls.servers.empty());
  // The engine attaches again: that is a new registration.
  Add(0);
  EXPECT_EQ(Step().ranks.size(), 1u);
}

TEST_F(RegistrarCoreTest, ALaunchThatWasReplacedRefusesAllItsRanks) {
  Add(0);
  Add(1);
  auto calls = Step();
  core_.OnServer(calls.servers[0].first, Error(Reason::kStaleIncarnation, "replaced"), now_);
  EXPECT_EQ(events_.Take().size(), 2u);
  now_ += std::chrono::hours(1);
  EXPECT_TRUE(Step().servers.empty());
}

TEST_F(RegistrarCoreTest, RenewsAllLeasesAThirdOfTheLeaseTimeApart) {
  RegisterAll(2);
  auto calls = Step();
  ASSERT_TRUE(calls.keep_alive.has_value());
  EXPECT_THAT(calls.keep_alive->lease_ids(), ElementsAre(100, 101));
  EXPECT_EQ(calls.keep_alive->epoch(), 9u);
  EXPECT_FALSE(Step().keep_alive.has_value());
  Renew();
  EXPECT_FALSE(Step().keep_alive.has_value());
  now_ += 999 * kMs;
  EXPECT_FALSE(Step().keep_alive.has_value());
  now_ += 1 * kMs;
  core_.SetLoad({3, 4, false});
  calls = Step();
  ASSERT_TRUE(calls.keep_alive.has_value());
  // The list has not changed: the service has it.
  EXPECT_EQ(calls.keep_alive->lease_ids_size(), 0);
  EXPECT_EQ(calls.keep_alive->load().rooms(), 3u);
  EXPECT_FALSE(calls.keep_alive->load().healthy());
  EXPECT_TRUE(events_.Take().empty());
}

TEST_F(RegistrarCoreTest, RegistersAgainWhatTheServiceForgot) {
  RegisterAll(2);
  Step();
  Renew({101});
  auto calls = Step();
  EXPECT_TRUE(calls.servers.empty());
  ASSERT_EQ(calls.ranks.size(), 1u);
  EXPECT_EQ(calls.ranks[0].second.rank().coord().tp(), 1u);
  EXPECT_EQ(calls.ranks[0].second.incarnation(), 5u);
  core_.OnRank(calls.ranks[0].first, Granted(200), now_);
  EXPECT_THAT(events_.Take(), ElementsAre("registered tp1 5"));
  EXPECT_THAT(calls.keep_alive->lease_ids(), ElementsAre(100));
  Renew();
  EXPECT_THAT(Step().keep_alive->lease_ids(), ElementsAre(100, 200));
}

TEST_F(RegistrarCoreTest, ALeaseIsLostWhenNothingWasHeardForAsLong) {
  RegisterAll(1);
  Step();
  now_ += 2000 * kMs;
  Renew();
  now_ += 2999 * kMs;
  Step();
  EXPECT_TRUE(events_.Take().empty());
  now_ += 1 * kMs;
  Step();
  EXPECT_THAT(events_.Take(), ElementsAre("lost tp0"));
  // The service was away, or slow.
  Renew();
  EXPECT_THAT(events_.Take(), ElementsAre("registered tp0 5"));
}

TEST_F(RegistrarCoreTest, BeginsANewStreamWhenTheAnswerIsOverdue) {
  RegisterAll(1);
  Step();
  now_ += 12000 * kMs;
  auto calls = Step();
  EXPECT_TRUE(calls.reset_stream);
  EXPECT_FALSE(calls.keep_alive.has_value());
  now_ = core_.next(now_);
  calls = Step();
  ASSERT_TRUE(calls.keep_alive.has_value());
  EXPECT_THAT(calls.keep_alive->lease_ids(), ElementsAre(100));
}

// Seen at answers of 1.5 s: the lease ended between two of them, again and again, while the service
// called the server ready.
TEST_F(RegistrarCoreTest, RenewsInTimeWhileTheServiceTakesFiveSecondsToAnswer) {
  RegisterAll(1);
  std::deque<TimePoint> answers;
  TimePoint sent = now_;
  for (const TimePoint ends = now_ + std::chrono::minutes(1); now_ < ends; now_ += 50 * kMs) {
    for (; !answers.empty() && answers.front() <= now_; answers.pop_front()) Renew();
    auto calls = Step();
    EXPECT_FALSE(calls.reset_stream);
    if (!calls.keep_alive.has_value()) continue;
    // What the service sees: a renewal each third of the lease.
    EXPECT_LE(now_ - sent, 1050 * kMs);
    sent = now_;
    answers.push_back(now_ + 4900 * kMs);
  }
  // As many are under way as the answers take seconds.
  EXPECT_GE(answers.size(), 4u);
  // The first answer came later than the lease time after the grant; nothing else is said.
  EXPECT_THAT(events_.Take(), ElementsAre("lost tp0", "registered tp0 5"));
}

TEST_F(RegistrarCoreTest, ASilentServiceDecidesNothingAboutARankThatItKnew) {
  RegisterAll(1);
  Step();
  Renew({100});
  auto calls = Step();
  ASSERT_EQ(calls.ranks.size(), 1u);
  core_.OnRank(calls.ranks[0].first, Error(Reason::kDeadline, "no answer"), now_);
  EXPECT_THAT(events_.Take(), ElementsAre("failing tp0 DEADLINE, goes on"));
  now_ += 5000 * kMs;
  calls = Step();
  EXPECT_THAT(events_.Take(), ElementsAre("lost tp0"));
  ASSERT_EQ(calls.ranks.size(), 1u);
  // An answer is no silence.
  core_.OnRank(calls.ranks[0].first, Error(Reason::kStaleIncarnation, "replaced"), now_);
  EXPECT_THAT(events_.Take(), ElementsAre("failing tp0 STALE_INCARNATION"));
}

TEST_F(RegistrarCoreTest, AfterTheEndOfAStreamItWaitsAndSendsTheWholeListAgain) {
  RegisterAll(1);
  Step();
  Renew();
  core_.OnStreamEnd(now_);
  EXPECT_FALSE(Step().keep_alive.has_value());
  TimePoint next = core_.next(now_);
  EXPECT_LE(next, now_ + 1000 * kMs);
  now_ = next;
  EXPECT_THAT(Step().keep_alive->lease_ids(), ElementsAre(100));
}

TEST_F(RegistrarCoreTest, ARemovedRankGivesItsLeaseBack) {
  RegisterAll(2);
  EXPECT_EQ(core_.Remove({"p", {0, 0, 0, 0}}), 100u);
  EXPECT_EQ(core_.Remove({"p", {0, 0, 0, 0}}), std::nullopt);
  EXPECT_THAT(Step().keep_alive->lease_ids(), ElementsAre(101));
}

TEST_F(RegistrarCoreTest, ALeaseGrantedTooLateIsGivenBack) {
  Add(0);
  Issue(Step(), 5);
  auto calls = Step();
  EXPECT_EQ(core_.Remove({"p", {0, 0, 0, 0}}), std::nullopt);
  EXPECT_EQ(core_.OnRank(calls.ranks[0].first, Granted(7), now_), 7u);
  EXPECT_TRUE(events_.Take().empty());
}

TEST_F(RegistrarCoreTest, AFloodOfRanksIsAskedForInParts) {
  planner::ServerSpec spec;
  spec.sizes = {1, 1, 1, 200};
  for (uint32_t tp = 0; tp < 200; ++tp) {
    core_.Add({{"p", {0, 0, 0, tp}}, Role::kPrefill, "launch", "m", spec, {}}, now_);
  }
  Issue(Step(), 5);
  size_t asked = 0;
  for (int round = 0; round < 10; ++round) {
    auto calls = Step();
    EXPECT_LE(calls.ranks.size(), 64u);
    for (auto& [ticket, request] : calls.ranks) core_.OnRank(ticket, Granted(++asked), now_);
  }
  EXPECT_EQ(asked, 200u);
}

}  // namespace
}  // namespace baton

#include "client/bootstrap/directory_core.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace baton {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

v1::ServerRecord Record(const std::string& name, v1::ServerState state,
                        std::initializer_list<uint32_t> tps, uint64_t incarnation = 1) {
  v1::ServerRecord record;
  record.set_name(name);
  record.set_incarnation(incarnation);
  record.set_state(state);
  for (auto set : {&v1::RankCoord::set_dp, &v1::RankCoord::set_pp, &v1::RankCoord::set_cp}) {
    (record.mutable_spec()->mutable_sizes()->*set)(1);
  }
  record.mutable_spec()->mutable_sizes()->set_tp(4);
  for (uint32_t tp : tps) {
    v1::RankRecord* rank = record.add_ranks();
    rank->mutable_coord()->set_tp(tp);
    rank->set_epoch(1);
  }
  record.set_missing_count(4 - tps.size());
  return record;
}

class Messages {
 public:
  explicit Messages(uint64_t store_epoch) : store_epoch_(store_epoch) {}
  Messages& Server(const v1::ServerRecord& record) {
    *message_.add_events()->mutable_server() = record;
    return *this;
  }
  Messages& Delta(const v1::ServerDelta& delta) {
    *message_.add_events()->mutable_delta() = delta;
    return *this;
  }
  Messages& Removed(const std::string& name) {
    message_.add_events()->set_removed(name);
    return *this;
  }
  Messages& Settled() {
    message_.add_events()->set_settled(true);
    return *this;
  }
  Messages& SnapshotDone() {
    message_.add_events()->set_snapshot_done(true);
    return *this;
  }
  Messages& At(uint64_t number) {
    message_.mutable_revision()->set_store_epoch(store_epoch_);
    message_.mutable_revision()->set_number(number);
    return *this;
  }
  operator const v1::WatchResponse&() const { return message_; }  // NOLINT: reads as a message

 private:
  uint64_t store_epoch_;
  v1::WatchResponse message_;
};

v1::ServerDelta Delta(v1::ServerState state, std::initializer_list<uint32_t> filled,
                      std::initializer_list<uint32_t> emptied, uint64_t incarnation = 1) {
  v1::ServerDelta delta;
  delta.set_name("p");
  delta.set_incarnation(incarnation);
  delta.set_state(state);
  for (uint32_t tp : filled) {
    delta.add_upserted()->mutable_coord()->set_tp(tp);
    delta.mutable_upserted()->rbegin()->set_epoch(2);
  }
  for (uint32_t tp : emptied) delta.add_removed()->set_tp(tp);
  return delta;
}

class DirectoryCoreTest : public ::testing::Test {
 protected:
  // A settled service of store epoch 1 with servers p (ready) and q.
  void Begin() {
    EXPECT_FALSE(core_.BeginWatch().has_resume_after());
    core_.Apply(Messages(1)
                    .Server(Record("p", v1::SERVER_STATE_READY, {0, 1, 2, 3}))
                    .Server(Record("q", v1::SERVER_STATE_REGISTERING, {2}))
                    .Settled()
                    .SnapshotDone()
                    .At(10));
  }
  // The service has restarted; the watch cannot resume and begins anew.
  void Restart() {
    v1::WatchResponse compacted;
    compacted.add_events()->set_compacted(true);
    EXPECT_EQ(core_.BeginWatch().resume_after().number(), 10u);
    EXPECT_TRUE(core_.Apply(compacted).compacted);
    EXPECT_FALSE(core_.BeginWatch().has_resume_after());
  }
  std::vector<uint32_t> Tps(const std::string& name) {
    std::vector<uint32_t> tps;
    for (const auto& rank : core_.Find(name)->ranks()) tps.push_back(rank.coord().tp());
    return tps;
  }

  DirectoryCore core_;
};

TEST_F(DirectoryCoreTest, IsSyncedWhenTheSnapshotIsComplete) {
  core_.BeginWatch();
  core_.Apply(Messages(1).Server(Record("p", v1::SERVER_STATE_READY, {0})));
  EXPECT_FALSE(core_.synced());
  core_.Apply(Messages(1).Settled().SnapshotDone().At(1));
  EXPECT_TRUE(core_.synced());
  EXPECT_EQ(core_.All().size(), 1u);
}

TEST_F(DirectoryCoreTest, KeepsAliasesOverADelta) {
  core_.BeginWatch();
  v1::ServerRecord record = Record("p", v1::SERVER_STATE_READY, {0});
  record.add_aliases("10.0.0.1:8998");
  core_.Apply(Messages(1).Server(record).Settled().SnapshotDone().At(1));
  core_.Apply(Messages(1).Delta(Delta(v1::SERVER_STATE_REGISTERING, {3}, {})).At(2));
  ASSERT_NE(core_.Find("p"), nullptr);
  EXPECT_THAT(core_.Find("p")->aliases(), ElementsAre("10.0.0.1:8998"));
}

TEST_F(DirectoryCoreTest, AppliesDeltasInOrderOfRank) {
  Begin();
  auto changes =
      core_.Apply(Messages(1).Delta(Delta(v1::SERVER_STATE_REGISTERING, {3, 0}, {1})).At(11));
  EXPECT_THAT(changes.upserted, ElementsAre("p"));
  EXPECT_THAT(Tps("p"), ElementsAre(0, 2, 3));
  auto server = core_.Find("p");
  EXPECT_EQ(server->state(), v1::SERVER_STATE_REGISTERING);
  EXPECT_EQ(server->ranks(0).epoch(), 2u);
  EXPECT_EQ(server->ranks(1).epoch(), 1u);
  EXPECT_EQ(server->missing_count(), 1u);
  ASSERT_EQ(server->missing_size(), 1);
  EXPECT_EQ(server->missing(0).tp(), 1u);
  EXPECT_EQ(core_.BeginWatch().resume_after().number(), 11u);
}

TEST_F(DirectoryCoreTest, ARemovedServerIsGone) {
  Begin();
  auto changes = core_.Apply(Messages(1).Removed("p").At(11));
  EXPECT_THAT(changes.removed, ElementsAre("p"));
  EXPECT_EQ(core_.Find("p"), nullptr);
}

TEST_F(DirectoryCoreTest, ADeltaOfAnotherIncarnationBeginsAnew) {
  Begin();
  EXPECT_TRUE(
      core_.Apply(Messages(1).Delta(Delta(v1::SERVER_STATE_READY, {0}, {}, 2)).At(11)).compacted);
  EXPECT_FALSE(core_.BeginWatch().has_resume_after());
}

TEST_F(DirectoryCoreTest, EventsOfANewerServicePass) {
  Begin();
  v1::WatchResponse message;
  ASSERT_TRUE(message.ParseFromString(
      std::string("\x0a\x04\xa2\x3f\x01x", 6)));  // an event with field 1012 only
  ASSERT_EQ(message.events_size(), 1);
  auto changes = core_.Apply(message);
  EXPECT_FALSE(changes.compacted);
  EXPECT_THAT(changes.upserted, IsEmpty());
}

TEST_F(DirectoryCoreTest, WhatDoesNotComeBackAtOnceAfterARestartStays) {
  Begin();
  Restart();
  auto changes = core_.Apply(
      Messages(2).Server(Record("p", v1::SERVER_STATE_PROVISIONAL, {1})).SnapshotDone().At(3));
  EXPECT_TRUE(changes.new_store_epoch);
  EXPECT_THAT(changes.removed, IsEmpty());
  EXPECT_THAT(Tps("p"), ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(core_.Find("p")->state(), v1::SERVER_STATE_READY);
  EXPECT_NE(core_.Find("q"), nullptr);
}

TEST_F(DirectoryCoreTest, WhatHasNotComeBackWhenItHasSettledIsGone) {
  Begin();
  Restart();
  core_.Apply(
      Messages(2).Server(Record("p", v1::SERVER_STATE_PROVISIONAL, {1})).SnapshotDone().At(3));
  core_.Apply(Messages(2).Delta(Delta(v1::SERVER_STATE_PROVISIONAL, {2}, {})).At(4));
  EXPECT_THAT(Tps("p"), ElementsAre(0, 1, 2, 3));
  auto changes =
      core_.Apply(Messages(2).Delta(Delta(v1::SERVER_STATE_REGISTERING, {}, {})).Settled().At(5));
  EXPECT_THAT(changes.upserted, ElementsAre("p"));
  EXPECT_THAT(changes.removed, ElementsAre("q"));
  EXPECT_THAT(Tps("p"), ElementsAre(1, 2));
  EXPECT_EQ(core_.Find("p")->state(), v1::SERVER_STATE_REGISTERING);
}

TEST_F(DirectoryCoreTest, AServerThatComesBackLaterKeepsItsRanksUntilThen) {
  Begin();
  Restart();
  core_.Apply(Messages(2).SnapshotDone().At(3));
  EXPECT_THAT(Tps("p"), ElementsAre(0, 1, 2, 3));
  core_.Apply(Messages(2).Server(Record("p", v1::SERVER_STATE_PROVISIONAL, {0})).At(4));
  EXPECT_THAT(Tps("p"), ElementsAre(0, 1, 2, 3));
  core_.Apply(Messages(2).Delta(Delta(v1::SERVER_STATE_DRAINING, {1}, {})).At(5));
  EXPECT_EQ(core_.Find("p")->state(), v1::SERVER_STATE_DRAINING);
  EXPECT_THAT(Tps("p"), ElementsAre(0, 1, 2, 3));
}

TEST_F(DirectoryCoreTest, ANewStartAfterARestartIsShownAsItIs) {
  Begin();
  Restart();
  core_.Apply(
      Messages(2).Server(Record("p", v1::SERVER_STATE_PROVISIONAL, {1}, 2)).SnapshotDone().At(3));
  EXPECT_THAT(Tps("p"), ElementsAre(1));
  EXPECT_EQ(core_.Find("p")->incarnation(), 2u);
}

TEST_F(DirectoryCoreTest, ASnapshotOfASettledServiceIsTheWholeTruth) {
  Begin();
  Restart();
  auto changes = core_.Apply(Messages(1)
                                 .Server(Record("p", v1::SERVER_STATE_REGISTERING, {1}))
                                 .Settled()
                                 .SnapshotDone()
                                 .At(12));
  EXPECT_FALSE(changes.new_store_epoch);
  EXPECT_THAT(changes.removed, ElementsAre("q"));
  EXPECT_THAT(Tps("p"), ElementsAre(1));
  EXPECT_EQ(core_.Find("p")->state(), v1::SERVER_STATE_REGISTERING);
}

TEST_F(DirectoryCoreTest, WildSizesCostNothing) {
  v1::ServerRecord record = Record("p", v1::SERVER_STATE_READY, {0});
  record.mutable_spec()->mutable_sizes()->set_dp(UINT32_MAX);
  record.mutable_spec()->mutable_sizes()->set_tp(UINT32_MAX);
  EXPECT_EQ(WithDelta(record, {}).missing_size(), 0);
  record.mutable_spec()->mutable_sizes()->set_tp(0);
  EXPECT_EQ(WithDelta(record, {}).missing_count(), 0u);
}

}  // namespace
}  // namespace baton

// What a worker remembers of its rooms, step by step.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "transfer_agent/worker/testing/rooms_fixture.h"

namespace baton::worker {
namespace {

class Traces : public Rooms {
 protected:
  static v1::TraceRoomResponse Of(Pod& pod, TimePoint now, const WorkerCore::TraceQuery& query) {
    v1::TraceRoomResponse out;
    pod.core->TraceRooms(query, now, 5000000000, &out);
    return out;
  }
  v1::TraceRoomResponse Of(Pod& pod, RoomKey key, bool any_nonce = false) {
    return Of(pod, world_.now, {key, any_nonce, 100});
  }
  static std::vector<std::string> Names(const v1::RoomTrace& trace) {
    std::vector<std::string> names;
    for (const v1::RoomStage& stage : trace.stages()) names.push_back(stage.name());
    return names;
  }
  using Stages = std::vector<std::string>;
};

TEST_F(Traces, NameEveryStageOfBothSidesWithItsTime) {
  Open({7, 1});
  world_.Settle();
  world_.Advance(std::chrono::milliseconds(30));
  SendAll();
  world_.Settle();
  world_.Advance(std::chrono::milliseconds(5));
  CloseAll();
  const auto sources = Of(p_, {7, 1});
  ASSERT_EQ(sources.rooms_size(), 2) << sources.DebugString();
  const v1::RoomTrace& source = sources.rooms(0);
  EXPECT_EQ(Names(source),
            (Stages{"opened", "offered", "matched", "connected", "posted", "sent", "done"}));
  EXPECT_EQ(source.stages(0).offset_us(), 0u);
  EXPECT_EQ(source.stages(4).offset_us(), 30000u);
  EXPECT_EQ(source.status().state(), "done");
  EXPECT_EQ(source.status().age_ms(), 30u) << "until it was done, not until it is looked at";
  EXPECT_TRUE(source.ended());
  EXPECT_EQ(source.leg_count(), 1u);
  EXPECT_EQ(source.legs_size(), 0) << "of a room that went well";
  EXPECT_EQ(source.began_unix_us(), 5000000000u - 35000);
  const auto targets = Of(d_, {7, 1});
  ASSERT_EQ(targets.rooms_size(), 1);
  EXPECT_EQ(Names(targets.rooms(0)), (Stages{"opened", "found", "offered", "landing", "done"}));
  EXPECT_EQ(targets.rooms(0).status().rank().server(), "decode-a");
  EXPECT_GT(targets.rooms(0).status().bytes(), 0u);
}

TEST_F(Traces, OfARoomThatRunsShowWhatItWaitsFor) {
  Open({7, 1});
  p0_.Send(s0_, 0, kTotal, true);
  world_.Settle();
  world_.Advance(std::chrono::milliseconds(40));
  const auto traces = Of(d_, {7, 1});
  ASSERT_EQ(traces.rooms_size(), 1);
  const v1::RoomTrace& target = traces.rooms(0);
  EXPECT_FALSE(target.ended());
  EXPECT_EQ(target.status().age_ms(), 40u);
  ASSERT_EQ(target.legs_size(), 2);
  EXPECT_TRUE(target.legs(0).done());
  EXPECT_FALSE(target.legs(1).sent()) << "the second source has not sent";
  EXPECT_EQ(target.legs(1).rank().coord().tp(), 1u);
  EXPECT_EQ(target.legs(1).transport(), "fake");
  EXPECT_GT(target.legs(1).bytes_expected(), 0u);
}

TEST_F(Traces, OfARoomThatFailedKeepCauseAndLegs) {
  Open({7, 1});
  world_.Settle();
  p0_.Abort(s0_);
  world_.Settle();
  CloseAll();
  const auto traces = Of(d_, {7, 1});
  ASSERT_EQ(traces.rooms_size(), 1);
  EXPECT_EQ(Names(traces.rooms(0)), (Stages{"opened", "found", "offered", "failed", "released"}));
  EXPECT_EQ(traces.rooms(0).status().cause().reason(), "ABORTED");
  EXPECT_EQ(traces.rooms(0).legs_size(), 2);
}

TEST_F(Traces, FindRoomsByIdAloneWhenTheNonceIsNotKnown) {
  for (uint64_t nonce : {1, 2}) {
    Open({7, nonce});
    SendAll();
    world_.Settle();
    CloseAll();
  }
  EXPECT_EQ(Of(d_, {7, 2}).rooms_size(), 1);
  EXPECT_EQ(Of(d_, {7, 0}).rooms_size(), 0);
  EXPECT_EQ(Of(d_, {7, 0}, true).rooms_size(), 2);
  EXPECT_EQ(Of(d_, {8, 0}, true).rooms_size(), 0);
  EXPECT_EQ(Of(d_, world_.now, {std::nullopt, false, 1}).rooms_size(), 1) << "the limit";
}

TEST_F(Traces, AFloodOfGoodRoomsPushesNoFailedOneOut) {
  Open({1, 9});
  world_.Settle();
  p0_.Abort(s0_);
  world_.Settle();
  CloseAll();
  for (uint64_t id = 100; id < 100 + RoomHistory::kDoneMax + 10; ++id) {
    Open({id, 1});
    SendAll();
    world_.Settle();
    CloseAll();
  }
  EXPECT_EQ(Of(d_, {1, 9}).rooms_size(), 1);
  EXPECT_EQ(Of(d_, {100, 1}).rooms_size(), 0) << "bounded";
  EXPECT_EQ(Of(d_, {109, 1}).rooms_size(), 0);
  EXPECT_EQ(Of(d_, {110, 1}).rooms_size(), 1);
}

TEST_F(Traces, EachRankCountsItsOwnRoomsAndBytes) {
  Open({7, 1});
  SendAll();
  world_.Settle();
  v1::AgentStatusResponse running;
  p_.core->Describe(&running);
  ASSERT_EQ(running.ranks_size(), 2);
  EXPECT_GT(running.ranks(0).bytes(), 0u) << "before the room is closed";
  CloseAll();
  Open({8, 1}, 1);
  world_.Settle();
  p1_.Abort(s1_);
  world_.Settle();
  CloseAll();
  v1::AgentStatusResponse over;
  p_.core->Describe(&over);
  EXPECT_EQ(over.ranks(0).bytes(), running.ranks(0).bytes());
  EXPECT_EQ(over.ranks(0).rooms_done(), 1u);
  EXPECT_EQ(over.ranks(0).rooms_failed(), 1u);
  EXPECT_EQ(over.ranks(0).rooms(), 0u);
}

}  // namespace
}  // namespace baton::worker

// What a worker counts of the rooms that its ranks take part in.
#include "transfer_agent/worker/worker_metrics.h"

#include <gtest/gtest.h>

#include "transfer_agent/worker/testing/rooms_fixture.h"

namespace baton::worker {
namespace {

class Metrics : public Rooms {
 protected:
  const WorkerMetrics& prefill() const { return p_.core->metrics(); }
  const WorkerMetrics& decode() const { return d_.core->metrics(); }
  static const metrics::HistogramValues Read(const WorkerMetrics& of, MetricStage stage) {
    return of.stages[static_cast<size_t>(stage)].Read();
  }
};

TEST_F(Metrics, ARoomIsCountedOnceByEachRankAtItsOwnSide) {
  Open({7, 1});
  SendAll();
  world_.Settle();
  EXPECT_EQ(prefill().roles[0].done.value(), 2u);
  EXPECT_EQ(prefill().roles[1].done.value(), 0u);
  EXPECT_EQ(decode().roles[1].done.value(), 1u);
  EXPECT_EQ(decode().roles[1].duration.Read().count(), 1u);
}

TEST_F(Metrics, EachStageIsObservedOnceAndLastsAsLongAsItTook) {
  t_ = d0_.OpenReceive(0, {7, 1}, "prefill-a", kTotal, 0, kTime);
  world_.Settle();
  world_.Advance(std::chrono::milliseconds(40));
  s0_ = p0_.OpenSend(0, {7, 1}, kTotal, kTime);
  s1_ = p1_.OpenSend(0, {7, 1}, kTotal, kTime);
  world_.Settle();
  world_.Advance(std::chrono::milliseconds(60));
  SendAll();
  world_.Settle();
  ASSERT_EQ(d0_.state(t_), shm_abi::RoomState::kDone);
  EXPECT_EQ(Read(decode(), MetricStage::kOffer).count(), 1u);
  EXPECT_EQ(Read(decode(), MetricStage::kLand).count(), 1u);
  EXPECT_NEAR(Read(decode(), MetricStage::kLand).sum_seconds, 0.1, 1e-6);
  EXPECT_EQ(Read(prefill(), MetricStage::kMatch).count(), 2u);
  EXPECT_NEAR(Read(prefill(), MetricStage::kMatch).sum_seconds, 2 * 0.04, 1e-6);
  EXPECT_EQ(Read(prefill(), MetricStage::kPost).count(), 2u);
  EXPECT_NEAR(Read(prefill(), MetricStage::kPost).sum_seconds, 2 * 0.06, 1e-6);
  EXPECT_GE(Read(prefill(), MetricStage::kConnect).count(), 1u);
}

TEST_F(Metrics, AFailureIsCountedByItsReasonAndIsNoTransferDone) {
  Open({7, 1});
  world_.Settle();
  d0_.Abort(t_);
  world_.Settle();
  const auto aborted = static_cast<size_t>(Reason::kAborted);
  EXPECT_EQ(decode().roles[1].failed[aborted].value(), 1u);
  EXPECT_EQ(prefill().roles[0].failed[aborted].value(), 2u);
  EXPECT_EQ(decode().roles[1].done.value(), 0u);
  EXPECT_EQ(decode().roles[1].duration.Read().count(), 0u);
}

TEST_F(Metrics, ARefusedOpeningIsCountedByItsReasonAndIsNoTransfer) {
  Open({7, 1});
  world_.Settle();
  p0_.OpenSend(1, {7, 1}, kTotal, kTime);
  d0_.OpenReceive(1, {7, 1}, "prefill-a", kTotal, 0, kTime);
  world_.Settle();
  const auto in_use = static_cast<size_t>(Reason::kRoomInUse);
  EXPECT_EQ(prefill().roles[0].refused[in_use].value(), 1u);
  EXPECT_EQ(decode().roles[1].refused[in_use].value(), 1u);
  EXPECT_EQ(prefill().roles[0].failed[in_use].value(), 0u);
  EXPECT_EQ(decode().roles[1].failed[in_use].value(), 0u);
}

TEST_F(Metrics, GaugesAreThoseOfTheLastHeartbeat) {
  Open({7, 1});
  SendAll();
  world_.Settle();
  p_.core->Heartbeat();
  d_.core->Heartbeat();
  EXPECT_EQ(prefill().roles[0].serving.value(), 2u);
  EXPECT_EQ(prefill().roles[0].open_rooms.value(), 2u);
  EXPECT_EQ(decode().roles[1].open_rooms.value(), 1u);
  EXPECT_GT(decode().memory_bytes.value(), 0u);
  EXPECT_EQ(prefill().paths[0].peers.value(), 1u);
  EXPECT_EQ(prefill().paths[0].channels.value(), 1u);
  CloseAll();
  d_.core->Heartbeat();
  EXPECT_EQ(decode().roles[1].open_rooms.value(), 0u);
}

}  // namespace
}  // namespace baton::worker

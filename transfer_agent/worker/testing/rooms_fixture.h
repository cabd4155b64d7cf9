// Two prefill ranks (tp 2) in one pod and a decode rank (tp 1) in another, for tests of rooms.
#ifndef BATON_TRANSFER_AGENT_WORKER_TESTING_ROOMS_FIXTURE_H_
#define BATON_TRANSFER_AGENT_WORKER_TESTING_ROOMS_FIXTURE_H_

#include <gtest/gtest.h>

#include <utility>

#include "transfer_agent/worker/testing/world.h"

namespace baton::worker {

inline constexpr uint64_t kTotal = 21;
inline constexpr uint32_t kTime = 10000;  // ms

class Rooms : public testing::Test {
 protected:
  Rooms()
      : p_(world_.AddPod()),
        d_(world_.AddPod()),
        p0_(p_.Attach("prefill-a", Role::kPrefill, {1, 1, 1, 2}, {0, 0, 0, 0})),
        p1_(p_.Attach("prefill-a", Role::kPrefill, {1, 1, 1, 2}, {0, 0, 0, 1})),
        d0_(d_.Attach("decode-a", Role::kDecode, {1, 1, 1, 1}, {0, 0, 0, 0})) {}

  void Open(RoomKey key, uint32_t slot = 0) {
    s0_ = p0_.OpenSend(slot, key, kTotal, kTime);
    s1_ = p1_.OpenSend(slot, key, kTotal, kTime);
    t_ = d0_.OpenReceive(slot, key, "prefill-a", kTotal, 0, kTime);
  }
  void SendAll() {
    p0_.Send(s0_, 0, kTotal, true);
    p1_.Send(s1_, 0, kTotal, true);
  }
  void CloseAll() {
    p0_.Close(s0_);
    p1_.Close(s1_);
    d0_.Close(t_);
    world_.Settle();
  }
  void ExpectAllFailed(Reason reason) {
    for (auto [rank, slot] : {std::make_pair(&p0_, s0_), {&p1_, s1_}, {&d0_, t_}}) {
      EXPECT_EQ(rank->state(slot), shm_abi::RoomState::kFailed) << ToString(rank->ref);
      EXPECT_EQ(rank->reason(slot), reason) << rank->causes[slot.slot];
      EXPECT_TRUE(rank->released(slot)) << ToString(rank->ref);
    }
  }
  void ExpectNothingLeft() {
    for (Pod* pod : {&p_, &d_}) {
      EXPECT_EQ(pod->core->open_rooms(), 0u);
      EXPECT_EQ(pod->transport->windows(), 0u);
    }
  }

  World world_;
  Pod& p_;
  Pod& d_;
  EngineRank& p0_;
  EngineRank& p1_;
  EngineRank& d0_;
  shm_abi::SlotRef s0_, s1_, t_;
};

}  // namespace baton::worker

#endif  // BATON_TRANSFER_AGENT_WORKER_TESTING_ROOMS_FIXTURE_H_

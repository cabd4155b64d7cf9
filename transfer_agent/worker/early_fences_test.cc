#include "transfer_agent/worker/early_fences.h"

#include <gtest/gtest.h>

namespace baton::worker {
namespace {

constexpr transport::PeerId kPeer(1);

TEST(EarlyFences, RefuseAnOfferThatItsFenceOvertookHoweverManyCameBetween) {
  EarlyFences fences;
  fences.Add(kPeer, 0, 1000);
  for (uint64_t serial = 1; serial < 1000; ++serial) EXPECT_FALSE(fences.Take(kPeer, 0, serial));
  EXPECT_TRUE(fences.Take(kPeer, 0, 1000));
  EXPECT_FALSE(fences.Take(kPeer, 0, 1001));
}

TEST(EarlyFences, RememberNoFenceOfAnOfferThatCameBeforeIt) {
  EarlyFences fences;
  EXPECT_FALSE(fences.Take(kPeer, 0, 5));
  fences.Add(kPeer, 0, 5);
  fences.Add(kPeer, 0, 3);
  EXPECT_FALSE(fences.Take(kPeer, 0, 6));
}

TEST(EarlyFences, KeepTheWorkersOfAPeerApart) {
  EarlyFences fences;
  fences.Add(kPeer, 1, 7);
  EXPECT_FALSE(fences.Take(kPeer, 0, 7));
  EXPECT_FALSE(fences.Take(transport::PeerId(2), 1, 7));
  EXPECT_TRUE(fences.Take(kPeer, 1, 7));
}

TEST(EarlyFences, ForgetAPeerThatIsGone) {
  EarlyFences fences;
  fences.Add(kPeer, 0, 7);
  fences.Forget(kPeer);
  EXPECT_FALSE(fences.Take(kPeer, 0, 7));
}

// Each of 65 536 worker numbers had a set of 65 536 of its own.
TEST(EarlyFences, ArePaidForOnceAPeerHoweverManyWorkersItNames) {
  EarlyFences fences;
  for (uint32_t worker = 0; worker < 4096; ++worker) fences.Add(kPeer, worker, 7);
  EXPECT_TRUE(fences.Take(kPeer, 0, 7));
  EXPECT_FALSE(fences.Take(kPeer, 4000, 7)) << "no agent has so many workers";
  EXPECT_FALSE(fences.Take(transport::PeerId(2), 0, 7));
  fences.Add(transport::PeerId(2), 4000, 8);
  EXPECT_TRUE(fences.Take(transport::PeerId(2), 4000, 8)) << "another peer has its own";
}

}  // namespace
}  // namespace baton::worker

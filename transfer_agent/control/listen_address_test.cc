#include "transfer_agent/control/listen_address.h"

#include <gtest/gtest.h>

#include "common/reason.h"

namespace baton::control {
namespace {

TEST(ListenAddress, SplitsHostAndPort) {
  EXPECT_EQ(SplitHostPort("10.0.0.7:7100").host, "10.0.0.7");
  EXPECT_EQ(SplitHostPort("10.0.0.7:7100").port, "7100");
  EXPECT_EQ(SplitHostPort("[::1]:80").host, "::1");
  EXPECT_EQ(SplitHostPort("nothing").host, "");
}

TEST(ListenAddress, AdvertisesTheBoundPort) {
  EXPECT_EQ(*AdvertisedAddress("", "127.0.0.1:4242"), "127.0.0.1:4242");
  EXPECT_EQ(*AdvertisedAddress("pod-3:0", "0.0.0.0:4242"), "pod-3:4242");
  EXPECT_EQ(*AdvertisedAddress("pod-3:70", "0.0.0.0:4242"), "pod-3:70") << "behind a port mapping";
  EXPECT_EQ(*AdvertisedAddress("[fd00::1]:0", "[::]:4242"), "[fd00::1]:4242");
}

TEST(ListenAddress, RefusesToAdvertiseWhatNobodyCanDial) {
  for (const char* bound : {"0.0.0.0:1", "[::]:1"}) {
    EXPECT_EQ(ReasonOf(AdvertisedAddress("", bound).status()), Reason::kConfig) << bound;
  }
}

}  // namespace
}  // namespace baton::control

#include "tests/chaos/device_objects.h"

#include <gtest/gtest.h>

namespace baton::chaos {
namespace {

TEST(DeviceObjects, AreSummedOverTheDevices) {
  auto parsed = ParseDeviceObjects(
      "0: rxe0: pd 1 cq 1 qp 1 cm_id 0 mr 7 ctx 0 srq 0 \n"
      "1: rxe1: pd 1 cq 2 qp 3 cm_id 0 mr 1 ctx 0 srq 0 \n");
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(ToString(*parsed), "4 queue pairs, 8 regions, 3 completion queues on 2 devices");
}

TEST(DeviceObjects, AreNoneWhereNoDeviceIsNamed) {
  EXPECT_FALSE(ParseDeviceObjects("").ok());
  EXPECT_FALSE(ParseDeviceObjects("sh: 1: rdma: not found\n").ok());
}

TEST(DeviceObjects, AreWithinOthersWhenNoneIsMore) {
  const DeviceObjects less{.devices = 2, .queue_pairs = 4, .completion_queues = 2, .regions = 8};
  DeviceObjects more = less;
  EXPECT_TRUE(less.Within(more));
  ++more.regions;
  EXPECT_TRUE(less.Within(more));
  EXPECT_FALSE(more.Within(less));
}

}  // namespace
}  // namespace baton::chaos

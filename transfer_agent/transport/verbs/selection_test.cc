#include "transfer_agent/transport/verbs/selection.h"

#include "common/reason.h"
#include "gtest/gtest.h"

namespace baton::transport::verbs {
namespace {

GidListing V4(uint32_t index, GidType type, uint8_t last, std::string netdev = "eth0") {
  GidListing gid{.index = index, .bytes = {}, .type = type, .netdev = std::move(netdev)};
  gid.bytes = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, last};
  return gid;
}

GidListing LinkLocal(uint32_t index, GidType type) {
  GidListing gid{.index = index, .bytes = {}, .type = type, .netdev = "eth0"};
  gid.bytes = {0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return gid;
}

PortListing Port(std::string device, std::vector<GidListing> gids) {
  PortListing port;
  port.device = std::move(device);
  port.active = true;
  port.gids = std::move(gids);
  return port;
}

struct GidCase {
  const char* name;
  std::vector<GidListing> gids;
  int wished;
  int chosen;  // index; -1: none
};

class GidChoice : public testing::TestWithParam<GidCase> {};

TEST_P(GidChoice, IsAsTheTableSays) {
  Wishes wishes;
  wishes.gid_index = GetParam().wished;
  auto selection = SelectRails({Port("a", GetParam().gids)}, wishes);
  if (GetParam().chosen < 0) {
    ASSERT_FALSE(selection.ok());
    EXPECT_EQ(ReasonOf(selection.status()), Reason::kNoTransport);
    return;
  }
  ASSERT_TRUE(selection.ok()) << selection.status();
  EXPECT_EQ(selection->rails[0].gid.index, static_cast<uint32_t>(GetParam().chosen));
}

constexpr GidType kV1 = GidType::kRoceV1;
constexpr GidType kV2 = GidType::kRoceV2;

INSTANTIATE_TEST_SUITE_P(
    Table, GidChoice,
    testing::Values(
        GidCase{"VersionTwoBeforeOne", {V4(0, kV1, 1), V4(1, kV2, 1)}, -1, 1},
        GidCase{"RoutableBeforeLinkLocal", {LinkLocal(0, kV2), V4(1, kV2, 1)}, -1, 1},
        GidCase{"VersionCountsMoreThanScope", {V4(0, kV1, 1), LinkLocal(1, kV2)}, -1, 1},
        GidCase{"AFlagWins", {V4(0, kV1, 1), V4(1, kV2, 1)}, 0, 0},
        GidCase{"AFlagWithoutItsGidFails", {V4(0, kV1, 1)}, 7, -1},
        GidCase{"AnInterfaceElsewhereIsOfNoUse", {V4(0, kV2, 1, ""), V4(1, kV1, 1)}, -1, 1},
        GidCase{"NoInterfaceHereFails", {V4(0, kV2, 1, "")}, -1, -1},
        GidCase{"AnEmptyTableFails", {}, -1, -1}),
    [](const auto& info) { return info.param.name; });

TEST(SelectRails, SaysOfEachCandidateWhyItWasNotTaken) {
  PortListing down = Port("down", {V4(0, kV2, 1)});
  down.active = false;
  auto selection = SelectRails({down, Port("up", {V4(3, kV2, 7)})}, {});
  ASSERT_TRUE(selection.ok());
  ASSERT_EQ(selection->candidates.size(), 2u);
  EXPECT_EQ(selection->candidates[0], "down/1: port is not active");
  EXPECT_EQ(selection->candidates[1], "up/1 RoCE v2 gid 3 10.0.0.7 on eth0: taken");
  EXPECT_EQ(selection->Summary(), "up/1 RoCE v2 gid 3 10.0.0.7 on eth0 (of 2 candidates)");
}

TEST(SelectRails, ListsWhatWasTriedWhenNothingIsOfUse) {
  PortListing down = Port("down", {});
  down.active = false;
  Wishes wishes;
  wishes.devices = {"down", "gone"};
  auto selection = SelectRails({down, Port("up", {V4(0, kV2, 1)})}, wishes);
  ASSERT_FALSE(selection.ok());
  const std::string text(selection.status().message());
  EXPECT_NE(text.find("down/1: port is not active"), std::string::npos) << text;
  EXPECT_NE(text.find("up/1: not among --verbs_devices"), std::string::npos) << text;
  EXPECT_NE(text.find("gone: no such device"), std::string::npos) << text;
  EXPECT_NE(SelectRails({}, {}).status().message().find("no RDMA device"), std::string::npos);
}

TEST(SelectRails, AddressesInfinibandByLid) {
  PortListing port = Port("ib", {});
  port.infiniband = true;
  EXPECT_FALSE(SelectRails({port}, {}).ok());
  port.lid = 12;
  auto selection = SelectRails({port, Port("roce", {V4(0, kV2, 1)})}, {});
  ASSERT_TRUE(selection.ok());
  // Rails of one channel reach the same fabric.
  ASSERT_EQ(selection->rails.size(), 1u);
  EXPECT_EQ(selection->Summary(), "ib/1 InfiniBand lid 12 (of 2 candidates)");
}

TEST(SelectRails, TakesTheNearestFirstAndNoMoreThanAsked) {
  PortListing far = Port("far", {V4(0, kV2, 1)});
  far.pci_path = "pci0000:80/0000:80:01.0/0000:81:00.0";
  PortListing near = Port("near", {V4(0, kV2, 2)});
  near.pci_path = "pci0000:00/0000:00:01.0/0000:01:00.0/0000:02:01.0/0000:04:00.0";
  PortListing root = Port("root", {V4(0, kV2, 3)});
  root.pci_path = "pci0000:00/0000:00:03.0/0000:09:00.0";
  Wishes wishes;
  wishes.near_pci_path = "pci0000:00/0000:00:01.0/0000:01:00.0/0000:02:00.0/0000:03:00.0";
  wishes.rails_max = 2;
  auto selection = SelectRails({far, root, near}, wishes);
  ASSERT_TRUE(selection.ok());
  ASSERT_EQ(selection->rails.size(), 2u);
  EXPECT_EQ(selection->rails[0].port.device, "near");
  EXPECT_EQ(selection->rails[1].port.device, "root");
  EXPECT_EQ(selection->candidates[0],
            "near/1 RoCE v2 gid 0 10.0.0.2 on eth0, 2 PCI steps from 0000:03:00.0: taken");
  EXPECT_EQ(
      selection->candidates[2],
      "far/1 RoCE v2 gid 0 10.0.0.1 on eth0, not on the PCI root of 0000:03:00.0: not needed");
}

TEST(SelectRails, TakesThoseOnTheMemorysNumaNodeFirstAndSaysSo) {
  PortListing far = Port("far", {V4(0, kV2, 1)});
  far.numa_node = 1;
  PortListing near = Port("near", {V4(0, kV2, 2)});
  near.numa_node = 0;
  Wishes wishes;
  wishes.near_numa_node = 0;
  auto selection = SelectRails({far, near}, wishes);
  ASSERT_TRUE(selection.ok());
  EXPECT_EQ(selection->candidates[0],
            "near/1 RoCE v2 gid 0 10.0.0.2 on eth0, on NUMA node 0 as the memory: taken");
  EXPECT_EQ(selection->candidates[1],
            "far/1 RoCE v2 gid 0 10.0.0.1 on eth0, on NUMA node 1, away from the memory: taken");
}

TEST(PciDistance, CountsTheStepsToTheCommonBridge) {
  EXPECT_EQ(PciDistance("pci0000:00/a/b", "pci0000:00/a/b"), 0u);
  EXPECT_EQ(PciDistance("pci0000:00/a/b", "pci0000:00/a/c"), 1u);
  EXPECT_EQ(PciDistance("pci0000:00/a/b", "pci0000:00/d/e/f"), 3u);
  EXPECT_EQ(PciDistance("pci0000:00/a", "pci0000:80/a"), kFar);
  EXPECT_EQ(PciDistance("", "pci0000:80/a"), kFar);
}

}  // namespace
}  // namespace baton::transport::verbs

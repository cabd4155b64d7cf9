// Pools on a GPU and pools in pieces.
#include "common/reason.h"
#include "gtest/gtest.h"
#include "transfer_agent/transport/verbs/fake_world.h"

namespace baton::transport::verbs {
namespace {

TEST(VerbsMemory, TellOfAPartInGpuMemoryWhenItIsThereToBeSeen) {
  Net net;
  net.net->AddDevice({.name = "fake1", .port = {}});
  Candidate gpu = net.candidate();
  gpu.gpu = true;
  World world(gpu, kLarge, kLarge);
  const ChannelPair channel = world.Connect();
  for (int i = 0; i < 3; ++i) ExpectRoomLands(&world, channel);
  EXPECT_GE(net.net->reads(), 2u) << "one on each rail";
}

TEST(VerbsMemory, ReadNothingBackWhereTheDeviceOrdersWrites) {
  Net net;
  net.net->AddDevice({.name = "fake1", .port = {}, .late_bus = false});
  net.options.wishes.devices = {"fake1"};
  Candidate gpu = net.candidate();
  gpu.gpu = true;
  gpu.ordered_writes = true;
  World world(gpu);
  ExpectRoomLands(&world, world.Connect());
  EXPECT_EQ(net.net->reads(), 0u);
}

TEST(VerbsMemory, BreakTheWindowWhoseFlushFailsAndServeTheNext) {
  Net net;
  Candidate gpu = net.candidate();
  gpu.gpu = true;
  World world(gpu);
  const ChannelPair channel = world.Connect();
  const Room& room = world.NewRoom(100);
  ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(room)).ok());
  const uint64_t cookie = world.Send(channel.source, room);
  ASSERT_TRUE(
      world.DriveOne(&world.source, [&] { return world.source.recorder.done.contains(cookie); }));
  net.net->faults().fail = 1000;
  ASSERT_TRUE(world.DriveOne(&world.target, [&] { return !world.target.recorder.broken.empty(); }));
  net.net->faults().fail = 0;
  EXPECT_FALSE(world.HasPart(room));
  world.target.transport->FenceDrained(World::kSource, room.offer);
  ExpectRoomLands(&world, channel);
}

TEST(VerbsMemory, SayWhatADeviceWithoutDmaBufsLacks) {
  Net net;
  net.net->AddDevice({.name = "fake1", .port = {}, .dma_buf = false});
  net.options.wishes.devices = {"fake1"};
  auto transport = VerbsTransport::Create(net.net->NewProvider(), net.options);
  ASSERT_TRUE(transport.ok());
  TestPool pool({});
  LocalRegion region = pool.region();
  region.dma_buf = true;
  region.base = nullptr;
  const auto exported = (*transport)->ExportMemory({&region, 1});
  EXPECT_EQ(ReasonOf(exported.status()), Reason::kBadRegion);
  const std::string why(exported.status().message());
  EXPECT_NE(why.find("fake1/1"), std::string::npos) << why;
  EXPECT_NE(why.find("5.12 or later"), std::string::npos) << why;
}

TEST(VerbsMemory, RegisterALargePoolInPiecesOnEveryRailAndWriteAcrossTheirEnds) {
  Net net;
  {
    FakeDeviceSpec small{.name = "fake1", .port = {}};
    small.limits.region_bytes_max = 100'000;
    net.net->AddDevice(small);
    World world(net.candidate(), kLarge, kLarge);
    const int objects = net.net->objects();
    EXPECT_GT(objects, 2 * 2 * static_cast<int>(world.target.pool.size() / 65536));
    const ChannelPair channel = world.Connect();
    for (int i = 0; i < 3; ++i) ExpectRoomLands(&world, channel);
  }
  EXPECT_EQ(net.net->objects(), 0);
}

}  // namespace
}  // namespace baton::transport::verbs

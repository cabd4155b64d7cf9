// Pools on a GPU, in pieces, in huge pages, written to in any order.
#include <sys/mman.h>
#include <unistd.h>

#include "common/reason.h"
#include "common/unique_fd.h"
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

TEST(VerbsMemory, AskForRelaxedOrderingWhereTheDeviceHasItAndNotWhereItHasNone) {
  // Of registrations alone: the seam has no such thing for a completion queue, whose order makes an
  // immediate come after its data.
  for (bool has : {true, false}) {
    Net net;
    FakeDeviceSpec spec{.name = "fake1", .port = {}};
    spec.limits.relaxed_ordering = has;
    net.net->AddDevice(spec);
    net.options.wishes.devices = {"fake1"};
    World world(net.candidate());
    ASSERT_EQ(net.net->Registrations().size(), 2u);
    for (const FakeMr* mr : net.net->Registrations()) {
      EXPECT_EQ((mr->access & IBV_ACCESS_RELAXED_ORDERING) != 0, has);
    }
    ExpectRoomLands(&world, world.Connect());
  }
}

constexpr uint64_t kHugePage = 2 << 20;
// What <linux/memfd.h> calls MFD_HUGE_2MB.
constexpr unsigned kOf2MiB = 21u << 26;

// Of three huge pages where the machine has some to give, else of as many bytes of small ones.
struct HugePool {
  HugePool() {
    for (unsigned flags : {MFD_HUGETLB | kOf2MiB, 0u}) {
      fd = UniqueFd(memfd_create("baton-huge-pool", MFD_CLOEXEC | flags));
      if (!fd || ftruncate(fd.get(), kBytes) != 0) continue;
      base = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
      if (base != MAP_FAILED) break;
    }
  }
  ~HugePool() { munmap(base, kBytes); }

  static constexpr uint64_t kBytes = 3 * kHugePage;
  UniqueFd fd;
  void* base = MAP_FAILED;
};

TEST(VerbsMemory, CutAPoolBetweenHugePagesAndNotThroughThem) {
  Net net;
  FakeDeviceSpec spec{.name = "fake1", .port = {}};
  spec.limits.region_bytes_max = 2 * kHugePage + 12345;
  net.net->AddDevice(spec);
  net.options.wishes.devices = {"fake1"};
  auto transport = VerbsTransport::Create(net.net->NewProvider(), net.options);
  ASSERT_TRUE(transport.ok()) << transport.status();
  HugePool pool;
  ASSERT_NE(pool.base, MAP_FAILED);
  LocalRegion region;
  region.fd = pool.fd.get();
  region.base = static_cast<std::byte*>(pool.base);
  region.size = HugePool::kBytes;
  const auto exported = (*transport)->ExportMemory({&region, 1});
  ASSERT_TRUE(exported.ok()) << exported.status();
  uint64_t bytes = 0;
  for (const FakeMr* mr : net.net->Registrations()) {
    EXPECT_EQ(mr->iova % kHugePage, 0u);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(mr->at) - reinterpret_cast<uintptr_t>(pool.base),
              mr->iova);
    EXPECT_EQ(mr->base.length % kHugePage, 0u);
    bytes += mr->base.length;
  }
  EXPECT_EQ(net.net->Registrations().size(), 2u);
  EXPECT_EQ(bytes, HugePool::kBytes);
  (*transport)->ForgetMemory(exported->id);
  EXPECT_TRUE(net.net->Registrations().empty());
}

}  // namespace
}  // namespace baton::transport::verbs

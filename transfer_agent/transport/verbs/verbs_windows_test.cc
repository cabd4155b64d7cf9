// Memory windows: keys of one channel, and the fence by taking them back.
#include "common/reason.h"
#include "gtest/gtest.h"
#include "transfer_agent/transport/verbs/fake_world.h"

namespace baton::transport::verbs {
namespace {

struct WindowNet : Net {
  explicit WindowNet(bool windows = true) {
    options.memory_windows = windows;
    options.fence_timeout = std::chrono::milliseconds(20);
  }
};

TEST(VerbsWindows, RefuseToStartOnADeviceWithoutThemAndNameIt) {
  WindowNet net;
  FakeDeviceSpec without{.name = "fake1", .port = {}};
  without.limits.memory_windows = false;
  net.net->AddDevice(without);
  const auto refused = VerbsTransport::Create(net.net->NewProvider(), net.options);
  EXPECT_EQ(ReasonOf(refused.status()), Reason::kNoTransport);
  EXPECT_NE(refused.status().message().find("fake1/1: --verbs_windows"), absl::string_view::npos)
      << refused.status();
  EXPECT_EQ(net.net->objects(), 0);
}

TEST(VerbsWindows, AreTheOnlyWayIntoAPool) {
  WindowNet net;
  World world(net.candidate());
  int opened = 0;
  for (const FakeMr* mr : net.net->Registrations()) {
    EXPECT_EQ(mr->access & IBV_ACCESS_REMOTE_WRITE, 0u);
    opened += (mr->access & IBV_ACCESS_MW_BIND) != 0 ? 1 : 0;
  }
  EXPECT_EQ(opened, 1) << "the target's pool, and not the source's";
  ExpectRoomLands(&world, world.Connect());
}

TEST(VerbsWindows, OpenAPoolInPiecesOverEveryQueuePairAndGiveThemAllBack) {
  WindowNet net;
  net.options.queue_pairs_per_rail = 2;
  {
    FakeDeviceSpec small{.name = "fake1", .port = {}};
    small.limits.region_bytes_max = 100'000;
    net.net->AddDevice(small);
    World world(net.candidate(), kLarge, kLarge);
    for (int i = 0; i < 2; ++i) ExpectRoomLands(&world, world.Connect());
  }
  EXPECT_EQ(net.net->objects(), 0);
}

TEST(VerbsWindows, RefuseAPoolOnAGpuAndSayWhatToDo) {
  WindowNet net;
  World world(net.candidate());
  LocalRegion region = world.target.pool.region();
  region.dma_buf = true;
  region.base = nullptr;
  const auto refused = world.target.transport->ExportMemory({&region, 1});
  EXPECT_EQ(ReasonOf(refused.status()), Reason::kNoTransport) << refused.status();
  EXPECT_NE(refused.status().message().find("--verbs_windows"), absl::string_view::npos)
      << refused.status();
  // A source's pool is opened to nobody, and so needs no window.
  region.target = false;
  EXPECT_TRUE(world.source.transport->ExportMemory({&region, 1}).ok());
}

TEST(VerbsWindows, AreOpenedByANewChannelForMemoryThatCameLater) {
  WindowNet net;
  World world(net.candidate(), kLarge, kLarge);
  const ChannelPair early = world.Connect();
  ExpectRoomLands(&world, early);
  // Another rank attaches: the channel has no key to its pool.
  const LocalRegion region = world.target.pool.region();
  auto exported = world.target.transport->ExportMemory({&region, 1});
  ASSERT_TRUE(exported.ok());
  EXPECT_FALSE(world.source.transport->Superseded(early.source));
  world.remote = *world.source.transport->ImportMemory(World::kTarget, exported->key);
  EXPECT_TRUE(world.source.transport->Superseded(early.source));
  const ChannelPair late = world.Connect();
  EXPECT_FALSE(world.source.transport->Superseded(late.source));
  ExpectRoomLands(&world, late);
  // What goes to the new memory over the old channel ends it, and is sent over another.
  EXPECT_EQ(world.source.transport->Submit(early.source,
                                           world.SegmentOf(world.NewRoom(100), 0, 100, true)),
            Submitted::kNoChannel);
  EXPECT_TRUE(world.Drive([&] { return world.source.recorder.is_down(early.source); }));
  world.target.transport->ForgetMemory(exported->id);
}

// A source that answers no fence, whose queue pair fails with writes under way, and a device that
// takes no queue pair down.
struct Stuck {
  explicit Stuck(bool windows) : net(windows), world(net.candidate(), kLarge, kLarge) {
    channel = world.Connect();
    room = &world.NewRoom(16 * 100);
    EXPECT_TRUE(world.target.transport->OpenWindow(world.WindowOf(*room)).ok());
    world.Send(channel.source, *room);
    EXPECT_TRUE(world.Drive([&] { return world.BytesLanded() > 100'000; }));
    net.net->BreakQp(net.net->Sending().front());
    net.net->faults().keep_queue_pairs = true;
    world.target.transport->Fence(World::kSource, room->offer);
  }
  // The source, too, lets go of the broken pair, once it has heard of it.
  ~Stuck() {
    net.net->faults().keep_queue_pairs = false;
    world.source.recorder.Poll(world.source.transport.get());
  }

  WindowNet net;
  World world;
  ChannelPair channel;
  const Room* room = nullptr;
};

TEST(VerbsWindows, FenceWhereTheDeviceTakesNoQueuePairDown) {
  Stuck stuck(/*windows=*/true);
  ASSERT_TRUE(
      stuck.world.DriveOne(&stuck.world.target, [&] { return stuck.world.IsFenced(*stuck.room); }));
  stuck.world.target.pool.FillCanary();
  EXPECT_EQ(stuck.net.net->LandGhosts(), 0);
  EXPECT_EQ(stuck.world.target.pool.FirstTouched({}), -1);
}

TEST(VerbsWindows, AreMissedThereWithoutThem) {
  Stuck stuck(/*windows=*/false);
  for (int ms : {30, 60, 2000}) {
    stuck.world.target.recorder.Poll(stuck.world.target.transport.get(),
                                     std::chrono::milliseconds(ms));
  }
  EXPECT_FALSE(stuck.world.IsFenced(*stuck.room)) << "said to be fenced by nothing";
  stuck.world.target.pool.FillCanary();
  EXPECT_GT(stuck.net.net->LandGhosts(), 0);
  stuck.net.net->faults().keep_queue_pairs = false;
  EXPECT_TRUE(
      stuck.world.DriveOne(&stuck.world.target, [&] { return stuck.world.IsFenced(*stuck.room); }));
}

TEST(VerbsWindows, MoveTheOtherRoomsOfAChannelWhoseKeysWereTakenBack) {
  WindowNet net;
  World world(net.candidate(), kLarge, kLarge);
  const ChannelPair channel = world.Connect();
  const Room& fenced = world.NewRoom(100);
  const Room& other = world.NewRoom(16 * 100);
  for (const Room* room : {&fenced, &other}) {
    ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(*room)).ok());
  }
  const uint64_t cookie = world.Send(channel.source, other);
  ASSERT_TRUE(world.Drive([&] { return world.BytesLanded() > 100'000; }));
  world.target.transport->Fence(World::kSource, fenced.offer);
  ASSERT_TRUE(world.DriveOne(&world.target, [&] { return world.IsFenced(fenced); }));
  ASSERT_TRUE(world.Drive([&] { return world.source.recorder.done.contains(cookie); }));
  const absl::Status& end = world.source.recorder.done[cookie];
  EXPECT_NE(ReasonOf(end), Reason::kBadRegion) << "blamed for its key: " << end;
  EXPECT_EQ(ReasonOf(end), Reason::kTransport) << end;
}

}  // namespace
}  // namespace baton::transport::verbs

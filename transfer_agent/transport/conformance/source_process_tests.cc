// A source in a process of its own, which is killed or stopped in mid-page.
#include "gtest/gtest.h"
#include "transfer_agent/transport/conformance/child.h"
#include "transfer_agent/transport/conformance/world.h"

namespace baton::transport {
namespace {

constexpr PoolShape kLarge{.layers = 2, .page_tokens = 16, .token_bytes = 4096, .pages = 512};

// The child: opens a channel, submits the room over and over, polls until it is killed.
[[noreturn]] void RunSource(const Candidate& candidate, World* world, const Room& room, int fd) {
  Node node(candidate, kLarge);
  node.pool.FillPattern(42);
  absl::StatusOr<OpenedChannel> opened = node.transport->Open(World::kTarget);
  CHECK(opened.ok()) << opened.status();
  SendMessage(fd, opened->data);
  CHECK(node.transport->Complete(opened->id, ReceiveMessage(fd)).ok());
  absl::StatusOr<RemoteMemoryId> remote =
      node.transport->ImportMemory(World::kTarget, world->target.key);
  CHECK(remote.ok()) << remote.status();
  while (!node.recorder.is_down(opened->id)) {
    Segment segment = world->SegmentOf(room, 0, room.tokens.total, false);
    segment.memory = node.memory;
    segment.remote = *remote;
    node.transport->Submit(opened->id, std::move(segment));
    for (int i = 0; i < 100; ++i) node.recorder.Poll(node.transport.get());
  }
  _exit(0);
}

// Something of the child's has come, long before the whole room has.
bool IsBeingWritten(const World& world) {
  if (!world.checked_by_target()) return world.target.pool.FirstTouched({}) >= 0;
  return world.target.transport->counters().bytes_landed > 1'000'000;
}

// The parent's own source node stays idle.
class SourceProcess : public Child {
 public:
  SourceProcess(const Candidate& candidate, World* world, const Room& room)
      : Child([&](int fd) { RunSource(candidate, world, room, fd); }) {
    absl::StatusOr<OpenedChannel> accepted =
        world->target.transport->Accept(World::kSource, ReceiveMessage(fd()));
    CHECK(accepted.ok()) << accepted.status();
    channel = accepted->id;
    SendMessage(fd(), accepted->data);
  }

  ChannelId channel;
};

TEST_P(TransportConformance, NoticesASourceThatIsKilledInMidPage) {
  if (!GetParam().processes) GTEST_SKIP() << "reaches no other process";
  World world(GetParam(), kLarge, kLarge);
  const Room& room = world.NewRoom(16 * 400);
  ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(room)).ok());
  SourceProcess child(GetParam(), &world, room);
  ASSERT_TRUE(world.DriveOne(&world.target, [&] { return IsBeingWritten(world); }));
  child.Signal(SIGKILL);
  ASSERT_TRUE(
      world.DriveOne(&world.target, [&] { return world.target.recorder.is_down(child.channel); }));
  EXPECT_FALSE(world.HasPart(room));
  world.target.transport->Fence(World::kSource, room.offer);
  ASSERT_TRUE(world.DriveOne(&world.target, [&] { return world.IsFenced(room); }));
  EXPECT_EQ(world.target.pool.FirstTouched(room.target_pages), -1);
  // Where its answer was awaited in vain it gets no channel again until it is given up for good.
  if (!world.checked_by_target()) world.target.transport->ForgetPeer(World::kSource);
  // The worker serves others as before.
  const ChannelPair channel = world.Connect();
  const Room& other = world.NewRoom(100);
  ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(other)).ok());
  world.Send(channel.source, other);
  ASSERT_TRUE(world.Drive([&] { return world.HasPart(other); }));
  EXPECT_EQ(world.FirstMismatch(other), -1);
}

TEST_P(TransportConformance, LandsNothingFromAStoppedSourceThatWakesAfterTheRelease) {
  if (!GetParam().processes) GTEST_SKIP() << "reaches no other process";
  World world(GetParam(), kLarge, kLarge);
  const Room& room = world.NewRoom(16 * 400);
  const Room& other = world.NewRoom(100);
  ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(room)).ok());
  SourceProcess child(GetParam(), &world, room);
  ASSERT_TRUE(world.DriveOne(&world.target, [&] { return IsBeingWritten(world); }));
  child.Stop();
  // A stopped source stalls nobody else.
  const ChannelPair channel = world.Connect();
  ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(other)).ok());
  world.Send(channel.source, other);
  ASSERT_TRUE(world.Drive([&] { return world.HasPart(other); }));

  world.target.transport->Fence(World::kSource, room.offer);
  ASSERT_TRUE(world.DriveOne(&world.target, [&] { return world.IsFenced(room); }));
  world.target.pool.FillCanary();  // the pages are another request's now
  const uint64_t dropped = world.target.transport->counters().stale_dropped;
  child.Signal(SIGCONT);
  if (!world.checked_by_target()) {
    // Its channel was destroyed; it finds out by its own writes and ends.
    ASSERT_TRUE(world.DriveOne(&world.target, [&] { return child.HasEnded(); }));
    EXPECT_EQ(world.target.pool.FirstTouched({}), -1);
    return;
  }
  ASSERT_TRUE(world.DriveOne(&world.target, [&] {
    return world.target.transport->counters().stale_dropped > dropped + 20;
  }));
  EXPECT_EQ(world.target.pool.FirstTouched({}), -1);
  EXPECT_FALSE(world.target.recorder.is_down(child.channel));
}

}  // namespace
}  // namespace baton::transport

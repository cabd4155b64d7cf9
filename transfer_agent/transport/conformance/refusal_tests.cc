// What does not fit is refused by name, and nothing else is disturbed.
#include <utility>

#include "common/reason.h"
#include "gtest/gtest.h"
#include "transfer_agent/transport/conformance/world.h"

namespace baton::transport {
namespace {

TEST_P(TransportConformance, BreaksAWindowWhoseTokensDifferFromTheSources) {
  World world(GetParam());
  if (!world.checked_by_target()) GTEST_SKIP() << "the target sees no bytes: rooms compare totals";
  const ChannelPair channel = world.Connect();
  const Room& room = world.NewRoom(100);
  const Room& other = world.NewRoom(100);
  Window window = world.WindowOf(room);
  window.tokens.total = 99;
  ASSERT_TRUE(world.target.transport->OpenWindow(window).ok());
  ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(other)).ok());
  world.Send(channel.source, room);
  world.Send(channel.source, other);
  ASSERT_TRUE(world.Drive([&] {
    return world.target.recorder.broken.contains({World::kSource, room.offer}) &&
           world.HasPart(other);
  }));
  EXPECT_EQ(world.target.pool.FirstTouched(other.target_pages), -1);
  EXPECT_EQ(world.FirstMismatch(other), -1);
  const absl::Status cause = world.target.recorder.broken[{World::kSource, room.offer}];
  EXPECT_NE(cause.message().find("99"), absl::string_view::npos) << cause;
}

TEST_P(TransportConformance, BreaksAWindowThatIsSentMoreThanTheRoom) {
  World world(GetParam());
  if (!world.checked_by_target()) GTEST_SKIP() << "the target sees no bytes: rooms compare totals";
  const ChannelPair channel = world.Connect();
  const Room& room = world.NewRoom(100);
  ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(room)).ok());
  world.source.transport->Submit(channel.source, world.SegmentOf(room, 0, 100, false));
  world.source.transport->Submit(channel.source, world.SegmentOf(room, 0, 16, true));
  ASSERT_TRUE(world.Drive([&] {
    return world.target.recorder.broken.contains({World::kSource, room.offer});
  }));
  world.Settle();
  EXPECT_FALSE(world.HasPart(room));
}

// As many bytes as the room has, and half of the room was never written.
TEST_P(TransportConformance, BreaksAWindowWhoseTokensComeTwiceThoughTheirBytesAddUp) {
  World world(GetParam());
  if (!world.checked_by_target()) GTEST_SKIP() << "the target sees no chunks: its source does";
  const ChannelPair one = world.Connect();
  const ChannelPair two = world.Connect();
  for (bool two_parts : {false, true}) {
    const Room& room = world.NewRoom(64);
    ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(room)).ok());
    world.source.transport->Submit(one.source, world.SegmentOf(room, 0, 32, two_parts));
    Segment again = world.SegmentOf(room, 0, 32, true);
    again.part = two_parts ? 1 : 0;
    world.source.transport->Submit(two_parts ? two.source : one.source, std::move(again));
    const Recorder::WindowKey key{World::kSource, room.offer};
    ASSERT_TRUE(world.Drive([&] { return world.target.recorder.broken.contains(key); }));
    const absl::Status cause = world.target.recorder.broken[key];
    EXPECT_EQ(ReasonOf(cause), Reason::kBadChunk) << cause;
    EXPECT_NE(cause.message().find("[0, 32)"), absl::string_view::npos) << cause;
  }
  const Room& other = world.NewRoom(100);
  ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(other)).ok());
  world.Send(one.source, other);
  ASSERT_TRUE(world.Drive([&] { return world.HasPart(other); }));
  EXPECT_EQ(world.FirstMismatch(other), -1);
}

TEST_P(TransportConformance, RefusesAWindowThatIsOpenAlready) {
  World world(GetParam());
  const Room& room = world.NewRoom(100);
  ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(room)).ok());
  EXPECT_FALSE(world.target.transport->OpenWindow(world.WindowOf(room)).ok());
  Window nowhere = world.WindowOf(room);
  nowhere.offer.slot = 99;
  nowhere.memory = MemoryId(12345);
  EXPECT_FALSE(world.target.transport->OpenWindow(nowhere).ok());
}

TEST_P(TransportConformance, RefusesConnectionDataThatIsNotOurs) {
  World world(GetParam());
  EXPECT_FALSE(world.target.transport->Accept(World::kSource, "\xff\xff garbage").ok());
  EXPECT_FALSE(world.target.transport->Accept(World::kSource, "").ok());
  EXPECT_FALSE(world.source.transport->Complete(ChannelId(4711), "").ok());
}

// A flood of them took 485 MB, and each poll walked them all.
TEST_P(TransportConformance, KeepsFewChannelsThatAPeerAsksForAndDoesNotConnect) {
  World world(GetParam());
  auto open = world.source.transport->Open(World::kTarget);
  ASSERT_TRUE(open.ok());
  absl::StatusOr<OpenedChannel> accepted = OpenedChannel();
  int kept = -1;
  while (accepted.ok() && kept < 1000) {
    ++kept;
    accepted = world.target.transport->Accept(World::kSource, open->data);
  }
  EXPECT_EQ(ReasonOf(accepted.status()), Reason::kFull) << accepted.status();
  EXPECT_GE(kept, 64);
  EXPECT_LE(kept, 128);
  EXPECT_TRUE(world.target.transport->Accept(PeerId(1000), open->data).ok()) << "of another peer";
  world.target.transport->ForgetPeer(World::kSource);
  EXPECT_TRUE(world.target.transport->Accept(World::kSource, open->data).ok());
  world.Settle();
}

TEST_P(TransportConformance, GivesATokenToOneChannelOnly) {
  World world(GetParam());
  auto first = world.source.transport->Open(World::kTarget);
  auto second = world.source.transport->Open(World::kTarget);
  ASSERT_TRUE(first.ok() && second.ok());
  auto accepted = world.target.transport->Accept(World::kSource, first->data);
  ASSERT_TRUE(accepted.ok());
  ASSERT_TRUE(world.source.transport->Complete(first->id, accepted->data).ok());
  ASSERT_TRUE(world.Drive([&] { return world.source.recorder.is_up(first->id); }));
  // The same answer again: replayed, or stolen.
  ASSERT_TRUE(world.source.transport->Complete(second->id, accepted->data).ok());
  ASSERT_TRUE(world.Drive([&] { return world.source.recorder.is_down(second->id); }));
  EXPECT_FALSE(world.target.recorder.is_down(accepted->id));
  const Room& room = world.NewRoom(100);
  ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(room)).ok());
  world.Send(first->id, room);
  EXPECT_TRUE(world.Drive([&] { return world.HasPart(room); }));
}

TEST_P(TransportConformance, RefusesGpuMemoryItCannotMove) {
  World world(GetParam());
  if (world.source.transport->capabilities().gpu_memory) return;
  const LocalRegion gpu{.fd = 0, .base = nullptr, .size = 4096, .dma_buf = true};
  auto exported = world.source.transport->ExportMemory({&gpu, 1});
  ASSERT_FALSE(exported.ok());
  EXPECT_EQ(ReasonOf(exported.status()), Reason::kNoTransport);
}

TEST_P(TransportConformance, EndsASegmentWhosePagesLeaveTheMemory) {
  World world(GetParam());
  const ChannelPair channel = world.Connect();
  Room& room = world.NewRoom(100);
  const Room& other = world.NewRoom(100);
  ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(room)).ok());
  ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(other)).ok());
  room.source_pages[3] = 1'000'000;
  const uint64_t cookie = world.Send(channel.source, room);
  world.Send(channel.source, other);
  ASSERT_TRUE(world.Drive(
      [&] { return world.source.recorder.done.contains(cookie) && world.HasPart(other); }));
  EXPECT_FALSE(world.source.recorder.done[cookie].ok());
  EXPECT_FALSE(world.HasPart(room));
}

}  // namespace
}  // namespace baton::transport

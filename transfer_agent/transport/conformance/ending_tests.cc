// Cancelling, closing, back-pressure: every segment ends exactly once and nothing grows.
#include <cstring>
#include <vector>

#include "gtest/gtest.h"
#include "transfer_agent/transport/conformance/world.h"

namespace baton::transport {
namespace {

constexpr PoolShape kLarge{.layers = 2, .page_tokens = 16, .token_bytes = 4096, .pages = 512};

TEST_P(TransportConformance, CancelsInMidTransferAndReadsThePagesNoMore) {
  World world(GetParam(), kLarge, kLarge);
  const ChannelPair channel = world.Connect();
  const Room& room = world.NewRoom(16 * 400);
  ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(room)).ok());
  const uint64_t cookie = world.Send(channel.source, room);
  ASSERT_TRUE(world.Drive([&] { return world.BytesLanded() > 100'000; }));
  world.source.transport->Cancel(channel.source, room.offer);
  EXPECT_FALSE(world.source.recorder.done.contains(cookie)) << "an event fired inside the call";
  const auto done = [&] { return world.source.recorder.done.contains(cookie); };
  if (GetParam().done_without_target) {
    ASSERT_TRUE(world.DriveOne(&world.source, done));
  } else {
    ASSERT_TRUE(world.Drive(done));
  }
  EXPECT_TRUE(absl::IsCancelled(world.source.recorder.done[cookie]));

  // What the pages hold from now on is another request's.
  for (uint32_t layer = 0; layer < 2; ++layer) {
    for (uint32_t page = 0; page < kLarge.pages; ++page) {
      std::memset(world.source.pool.Page(layer, page), 0x77, world.source.pool.page_bytes());
    }
  }
  world.source.pool.Push();
  world.Settle();
  EXPECT_FALSE(world.HasPart(room));
  world.target.pool.Fetch();
  const std::vector<std::byte> others(64, std::byte{0x77});
  for (uint32_t layer = 0; layer < 2; ++layer) {
    for (int32_t page : room.target_pages) {
      for (size_t at = 0; at < world.target.pool.page_bytes(); at += others.size()) {
        ASSERT_NE(std::memcmp(world.target.pool.Page(layer, page) + at, others.data(), 64), 0)
            << "page " << page << " shows what the source wrote after the cancel";
      }
    }
  }
}

TEST_P(TransportConformance, GoesOnWithOtherRoomsOfTheChannelAfterACancel) {
  World world(GetParam(), kLarge, kLarge);
  const ChannelPair channel = world.Connect();
  const Room& cancelled = world.NewRoom(16 * 300);
  const Room& other = world.NewRoom(16 * 100);
  for (const Room* room : {&cancelled, &other}) {
    ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(*room)).ok());
    world.Send(channel.source, *room);
  }
  ASSERT_TRUE(world.Drive([&] { return world.BytesLanded() > 100'000; }));
  world.source.transport->Cancel(channel.source, cancelled.offer);
  ASSERT_TRUE(world.Drive([&] { return world.HasPart(other); }));
  EXPECT_EQ(world.FirstMismatch(other), -1);
  world.Settle();
  EXPECT_FALSE(world.HasPart(cancelled));
}

TEST_P(TransportConformance, TakesNoMoreSegmentsThanItsBoundFromAFastSource) {
  World world(GetParam(), kLarge, kLarge);
  const ChannelPair channel = world.Connect();
  const Room& room = world.NewRoom(16 * 400);
  ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(room)).ok());
  // The target does not poll: a slow peer.
  uint32_t accepted = 0;
  const auto submit = [&] {
    return world.source.transport->Submit(channel.source,
                                          world.SegmentOf(room, 0, room.tokens.total, false));
  };
  for (int round = 0; round < 400; ++round) {
    while (submit() == Submitted::kAccepted) ++accepted;
    world.source.recorder.Poll(world.source.transport.get());
  }
  while (submit() == Submitted::kAccepted) ++accepted;
  EXPECT_EQ(submit(), Submitted::kFull);
  // 50 MiB each: next to none of them fits into what the system buffers.
  EXPECT_LE(accepted - world.source.recorder.done.size(), kSegmentsPerChannelMax + 16);
  world.source.transport->Close(channel.source);
  ASSERT_TRUE(
      world.DriveOne(&world.source, [&] { return world.source.recorder.done.size() == accepted; }));
}

TEST_P(TransportConformance, ServesOtherChannelsWhileOnePeerIsSlow) {
  World world(GetParam(), kLarge, kLarge);
  Node slow(GetParam(), kLarge);
  auto opened = world.source.transport->Open(PeerId(5));
  ASSERT_TRUE(opened.ok());
  auto accepted = slow.transport->Accept(World::kSource, opened->data);
  ASSERT_TRUE(accepted.ok());
  ASSERT_TRUE(world.source.transport->Complete(opened->id, accepted->data).ok());
  auto imported = world.source.transport->ImportMemory(PeerId(5), slow.key);
  ASSERT_TRUE(imported.ok());
  ASSERT_TRUE(world.Drive([&] {
    slow.recorder.Poll(slow.transport.get());
    return world.source.recorder.is_up(opened->id);
  }));
  const ChannelPair channel = world.Connect();
  const Room& stuck = world.NewRoom(16 * 200);
  const Room& room = world.NewRoom(16 * 200);
  Segment to_slow = world.SegmentOf(stuck, 0, stuck.tokens.total, true);
  to_slow.remote = *imported;
  ASSERT_EQ(world.source.transport->Submit(opened->id, std::move(to_slow)), Submitted::kAccepted);
  ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(room)).ok());
  world.Send(channel.source, room);
  // From here on the slow peer does not poll.
  ASSERT_TRUE(world.Drive([&] { return world.HasPart(room); }));
  EXPECT_EQ(world.FirstMismatch(room), -1);
}

TEST_P(TransportConformance, EndsEverySegmentWhenTheChannelIsClosed) {
  World world(GetParam(), kLarge, kLarge);
  const ChannelPair channel = world.Connect();
  const Room& one = world.NewRoom(16 * 200);
  const Room& two = world.NewRoom(16 * 200);
  for (const Room* room : {&one, &two}) {
    ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(*room)).ok());
    world.Send(channel.source, *room);
  }
  ASSERT_TRUE(world.Drive([&] { return world.BytesLanded() > 100'000; }));
  world.source.transport->Close(channel.source);
  ASSERT_TRUE(world.Drive([&] {
    return world.source.recorder.done.size() == 2 && world.target.recorder.is_down(channel.target);
  }));
  EXPECT_TRUE(absl::IsCancelled(world.source.recorder.done[1]));
  EXPECT_TRUE(absl::IsCancelled(world.source.recorder.done[2]));
  EXPECT_FALSE(world.source.recorder.is_down(channel.source)) << "an event after the close";
  EXPECT_FALSE(world.HasPart(one));
  EXPECT_FALSE(world.HasPart(two));
  EXPECT_EQ(world.source.transport->Submit(channel.source, world.SegmentOf(one, 0, 16, false)),
            Submitted::kNoChannel);
}

TEST_P(TransportConformance, EndsSegmentsThatWaitForAChannelThatNeverComesUp) {
  World world(GetParam());
  auto opened = world.source.transport->Open(World::kTarget);
  ASSERT_TRUE(opened.ok());
  const Room& room = world.NewRoom(16);
  const uint64_t cookie = world.Send(opened->id, room);
  EXPECT_FALSE(world.source.transport->Complete(opened->id, "no answer at all").ok());
  ASSERT_TRUE(
      world.DriveOne(&world.source, [&] { return world.source.recorder.is_down(opened->id); }));
  ASSERT_TRUE(world.source.recorder.done.contains(cookie));
  EXPECT_FALSE(world.source.recorder.done[cookie].ok());
}

TEST_P(TransportConformance, SendsAPartAgainOverAnotherChannelAsANewAttempt) {
  World world(GetParam(), kLarge, kLarge);
  const ChannelPair first = world.Connect();
  const ChannelPair second = world.Connect();
  const Room& room = world.NewRoom(16 * 200);
  ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(room)).ok());
  world.Send(first.source, room);
  ASSERT_TRUE(world.Drive([&] { return world.BytesLanded() > 100'000; }));
  ASSERT_FALSE(world.HasPart(room));
  world.source.transport->Close(first.source);
  ASSERT_TRUE(world.Drive([&] { return world.target.recorder.is_down(first.target); }));
  Segment again = world.SegmentOf(room, 0, room.tokens.total, true);
  again.attempt = 1;
  world.source.transport->Submit(second.source, std::move(again));
  ASSERT_TRUE(world.Drive([&] { return world.HasPart(room); }));
  EXPECT_EQ(world.FirstMismatch(room), -1);
  EXPECT_TRUE(world.target.recorder.broken.empty());
}

TEST_P(TransportConformance, OpensAndClosesManyChannels) {
  World world(GetParam());
  for (int i = 0; i < 50; ++i) {
    const ChannelPair channel = world.Connect();
    if (i % 2 == 0) {
      world.source.transport->Close(channel.source);
      ASSERT_TRUE(world.Drive([&] { return world.target.recorder.is_down(channel.target); }));
    } else {
      world.target.transport->Close(channel.target);
      ASSERT_TRUE(world.Drive([&] { return world.source.recorder.is_down(channel.source); }));
    }
  }
}

}  // namespace
}  // namespace baton::transport

// After OnFenced nothing of the window lands, whatever the source does.
#include <vector>

#include "gtest/gtest.h"
#include "transfer_agent/transport/conformance/world.h"

namespace baton::transport {
namespace {

// Large enough to be caught in the middle.
constexpr PoolShape kLarge{.layers = 2, .page_tokens = 16, .token_bytes = 4096, .pages = 512};

bool SomethingLanded(World* world, uint64_t more_than) { return world->BytesLanded() > more_than; }

TEST_P(TransportConformance, FencesInMidTransferAndNothingLandsAfterwards) {
  World world(GetParam(), kLarge, kLarge);
  const ChannelPair channel = world.Connect();
  const Room& room = world.NewRoom(16 * 400);
  ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(room)).ok());
  const uint64_t cookie = world.Send(channel.source, room);
  ASSERT_TRUE(world.Drive([&] { return SomethingLanded(&world, 100'000); }));
  ASSERT_FALSE(world.HasPart(room));

  world.target.transport->Fence(World::kSource, room.offer);
  EXPECT_FALSE(world.IsFenced(room)) << "an event fired inside the call";
  ASSERT_TRUE(world.DriveOne(&world.target, [&] { return world.IsFenced(room); }));
  world.target.pool.FillCanary();
  ASSERT_TRUE(world.Drive([&] { return world.source.recorder.done.contains(cookie); }));
  world.Settle();
  EXPECT_EQ(world.target.pool.FirstTouched({}), -1);
  EXPECT_FALSE(world.HasPart(room));
  if (!world.checked_by_target()) return;
  EXPECT_GT(world.target.transport->counters().stale_dropped, 0u);
}

TEST_P(TransportConformance, GoesOnWithOtherRoomsOfTheChannelAfterAFence) {
  World world(GetParam(), kLarge, kLarge);
  const ChannelPair channel = world.Connect();
  const Room& fenced = world.NewRoom(16 * 300);
  const Room& other = world.NewRoom(16 * 100);
  for (const Room* room : {&fenced, &other}) {
    ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(*room)).ok());
  }
  const uint64_t cookie = world.Send(channel.source, fenced);
  world.Send(channel.source, other);
  ASSERT_TRUE(world.Drive([&] { return SomethingLanded(&world, 100'000); }));
  world.FenceTogether(channel.source, fenced, cookie);
  ASSERT_TRUE(world.Drive([&] { return world.HasPart(other) && world.IsFenced(fenced); }));
  EXPECT_EQ(world.FirstMismatch(other), -1);
  EXPECT_FALSE(world.HasPart(fenced));
}

TEST_P(TransportConformance, DropsWhatIsSentForAnotherGeneration) {
  World world(GetParam());
  const ChannelPair channel = world.Connect();
  const Room& room = world.NewRoom(100);
  ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(room)).ok());
  Segment stale = world.SegmentOf(room, 0, 100, true);
  stale.offer.generation -= 1;
  world.source.transport->Submit(channel.source, std::move(stale));
  ASSERT_TRUE(world.Drive([&] { return world.source.recorder.done.size() == 1; }));
  world.Settle();
  EXPECT_TRUE(world.target.recorder.parts.empty());
  EXPECT_GT(world.target.transport->counters().stale_dropped, 0u);
  if (world.checked_by_target()) {
    EXPECT_EQ(world.target.pool.FirstTouched({}), -1);
    EXPECT_EQ(world.target.transport->counters().bytes_landed, 0u);
  }
  // The channel is as good as before.
  world.Send(channel.source, room);
  ASSERT_TRUE(world.Drive([&] { return world.HasPart(room); }));
  EXPECT_EQ(world.FirstMismatch(room), -1);
}

TEST_P(TransportConformance, ReusesTheSlotWithTheNextGenerationAfterAFence) {
  World world(GetParam(), kLarge, kLarge);
  const ChannelPair channel = world.Connect();
  const Room& first = world.NewRoom(16 * 200);
  ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(first)).ok());
  const uint64_t cookie = world.Send(channel.source, first);
  ASSERT_TRUE(world.Drive([&] { return SomethingLanded(&world, 100'000); }));
  world.FenceTogether(channel.source, first, cookie);

  Room& second = world.NewRoom(16 * 50);
  second.offer = first.offer;
  ++second.offer.generation;
  ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(second)).ok());
  world.Send(channel.source, second);
  ASSERT_TRUE(world.Drive([&] { return world.HasPart(second); }));
  EXPECT_EQ(world.FirstMismatch(second), -1);
  EXPECT_FALSE(world.HasPart(first));
}

TEST_P(TransportConformance, DropsWhatAnotherPeerSendsForTheWindow) {
  World world(GetParam());
  world.Connect();
  // A channel that the target knows to be of someone else.
  auto opened = world.source.transport->Open(World::kTarget);
  ASSERT_TRUE(opened.ok());
  auto accepted = world.target.transport->Accept(PeerId(1234), opened->data);
  ASSERT_TRUE(accepted.ok());
  ASSERT_TRUE(world.source.transport->Complete(opened->id, accepted->data).ok());
  ASSERT_TRUE(world.Drive([&] { return world.source.recorder.is_up(opened->id); }));
  const Room& room = world.NewRoom(100);
  ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(room)).ok());
  world.Send(opened->id, room);
  ASSERT_TRUE(world.Drive([&] { return world.source.recorder.done.size() == 1; }));
  world.Settle();
  if (world.checked_by_target()) {
    EXPECT_EQ(world.target.pool.FirstTouched({}), -1);
  }
  EXPECT_TRUE(world.target.recorder.parts.empty());
  EXPECT_TRUE(world.target.recorder.broken.empty());
}

TEST_P(TransportConformance, FencesTheWindowsOfAPeerThatIsForgotten) {
  World world(GetParam(), kLarge, kLarge);
  const ChannelPair channel = world.Connect();
  const Room& one = world.NewRoom(16 * 200);
  const Room& two = world.NewRoom(16);
  for (const Room* room : {&one, &two}) {
    ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(*room)).ok());
  }
  const uint64_t cookie = world.Send(channel.source, one);
  ASSERT_TRUE(world.Drive([&] { return SomethingLanded(&world, 100'000); }));
  world.target.transport->ForgetPeer(World::kSource);
  ASSERT_TRUE(
      world.DriveOne(&world.target, [&] { return world.IsFenced(one) && world.IsFenced(two); }));
  world.target.pool.FillCanary();
  ASSERT_TRUE(world.Drive([&] {
    return world.source.recorder.is_down(channel.source) &&
           world.source.recorder.done.contains(cookie);
  }));
  EXPECT_EQ(world.target.pool.FirstTouched({}), -1);
  EXPECT_FALSE(world.target.recorder.is_down(channel.target)) << "an event after the close";
}

TEST_P(TransportConformance, LetsAHandlerFenceFromInsideAnEvent) {
  World world(GetParam());
  const ChannelPair channel = world.Connect();
  const Room& room = world.NewRoom(100);
  ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(room)).ok());
  world.target.recorder.on_part = [&](PeerId peer, OfferId offer) {
    // Its only part is in: nothing of it is under way.
    world.target.transport->FenceDrained(peer, offer);
  };
  world.Send(channel.source, room);
  ASSERT_TRUE(world.Drive([&] { return world.IsFenced(room); }));
  EXPECT_EQ(world.FirstMismatch(room), -1);
}

}  // namespace
}  // namespace baton::transport

// Pools whose engine gave pages back while they were handed over: one room fails, the process and
// the channel's other rooms do not. For transports whose bytes pass through the processor; a device
// has pinned its pages.
#include "common/reason.h"
#include "gtest/gtest.h"
#include "transfer_agent/transport/conformance/world.h"

namespace baton::transport {
namespace {

constexpr PoolShape kWide{.layers = 2, .page_tokens = 16, .token_bytes = 4096, .pages = 64};

void LandsBeside(World* world, const ChannelPair& channel, const Room& room) {
  ASSERT_TRUE(world->Drive([&] { return world->HasPart(room); }));
  EXPECT_EQ(world->FirstMismatch(room), -1);
  EXPECT_FALSE(world->source.recorder.is_down(channel.source));
  EXPECT_FALSE(world->target.recorder.is_down(channel.target));
}

TEST_P(TransportConformance, FailsOneRoomWhenAPageOfTheTargetIsGone) {
  for (const bool checksums : {false, true}) {
    World world(GetParam(), kWide, kWide, checksums);
    if (!world.target.transport->capabilities().checksums) return;
    const ChannelPair channel = world.Connect();
    const Room& torn = world.NewRoom(16 * 8);
    const Room& other = world.NewRoom(16 * 8);
    world.target.pool.TakeAway(1, torn.target_pages[3]);
    for (const Room* room : {&torn, &other}) {
      ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(*room, checksums)).ok());
      world.Send(channel.source, *room);
    }
    const Recorder::WindowKey key{World::kSource, torn.offer};
    ASSERT_TRUE(world.Drive([&] { return world.target.recorder.broken.contains(key); }));
    EXPECT_EQ(ReasonOf(world.target.recorder.broken[key]), Reason::kBadRegion);
    EXPECT_NE(world.target.recorder.broken[key].message().find("of the target's pool is gone"),
              std::string::npos);
    LandsBeside(&world, channel, other);
    EXPECT_FALSE(world.HasPart(torn));
  }
}

TEST_P(TransportConformance, FailsOneRoomWhenAPageOfTheSourceIsGone) {
  World world(GetParam(), kWide, kWide, /*checksums=*/true);
  if (!world.target.transport->capabilities().checksums) return;
  const ChannelPair channel = world.Connect();
  const Room& torn = world.NewRoom(16 * 8);
  const Room& other = world.NewRoom(16 * 8);
  world.source.pool.TakeAway(1, torn.source_pages[3]);
  uint64_t cookie = 0;
  for (const Room* room : {&torn, &other}) {
    ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(*room, true)).ok());
    const uint64_t sent = world.Send(channel.source, *room);
    if (room == &torn) cookie = sent;
  }
  ASSERT_TRUE(world.Drive([&] { return world.source.recorder.done.contains(cookie); }));
  EXPECT_EQ(ReasonOf(world.source.recorder.done[cookie]), Reason::kBadRegion);
  LandsBeside(&world, channel, other);
  EXPECT_FALSE(world.HasPart(torn));
}

}  // namespace
}  // namespace baton::transport

// Every byte arrives, in the right place, once, and nothing else is touched.
#include <vector>

#include "gtest/gtest.h"
#include "transfer_agent/transport/conformance/world.h"

namespace baton::transport {
namespace {

TEST_P(TransportConformance, MovesScatteredPagesOfSeveralLayersAndTouchesNothingElse) {
  World world(GetParam());
  const ChannelPair channel = world.Connect();
  const Room& room = world.NewRoom(200);  // the last page is partial
  ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(room)).ok());
  const uint64_t cookie = world.Send(channel.source, room);
  ASSERT_TRUE(world.Drive(
      [&] { return world.HasPart(room) && world.source.recorder.done.contains(cookie); }));
  EXPECT_TRUE(world.source.recorder.done[cookie].ok());
  EXPECT_EQ(world.FirstMismatch(room), -1);
  EXPECT_EQ(world.target.pool.FirstTouched(room.target_pages), -1);
  const uint64_t bytes = planner::RoomBytes(world.plan, room.tokens);
  const uint64_t part_bytes = world.checked_by_target() ? bytes : kBytesUnknown;
  EXPECT_EQ((world.target.recorder.parts[{World::kSource, room.offer, 0}]), part_bytes);
  EXPECT_EQ(world.BytesLanded(), bytes);
  EXPECT_EQ(world.source.transport->counters().bytes_sent, bytes);
  EXPECT_EQ(world.target.transport->counters().bytes_copied +
                world.source.transport->counters().bytes_copied,
            bytes * GetParam().copies);
}

TEST_P(TransportConformance, MovesBetweenPagesOfDifferentSizes) {
  World world(GetParam(), {.page_tokens = 16, .pages = 64, .gap_bytes = 192},
              {.page_tokens = 24, .pages = 64, .gap_bytes = 8});
  const ChannelPair channel = world.Connect();
  const Room& room = world.NewRoom(333);
  ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(room)).ok());
  world.Send(channel.source, room);
  ASSERT_TRUE(world.Drive([&] { return world.HasPart(room); }));
  EXPECT_EQ(world.FirstMismatch(room), -1);
  EXPECT_EQ(world.target.pool.FirstTouched(room.target_pages), -1);
}

TEST_P(TransportConformance, MovesBetweenPoolsOfSeveralRegions) {
  World world(GetParam(), {.layers = 7, .regions = 3}, {.layers = 7, .regions = 2});
  const ChannelPair channel = world.Connect();
  const Room& room = world.NewRoom(333);
  ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(room)).ok());
  world.Send(channel.source, room);
  ASSERT_TRUE(world.Drive([&] { return world.HasPart(room); }));
  EXPECT_EQ(world.FirstMismatch(room), -1);
  EXPECT_EQ(world.target.pool.FirstTouched(room.target_pages), -1);
}

TEST_P(TransportConformance, MovesOnlyWhatIsPastTheTargetsPrefix) {
  World world(GetParam());
  const ChannelPair channel = world.Connect();
  const Room& room = world.NewRoom(200, 75);
  ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(room)).ok());
  world.Send(channel.source, room);
  ASSERT_TRUE(world.Drive([&] { return world.HasPart(room); }));
  EXPECT_EQ(world.FirstMismatch(room), -1);
  // Tokens 64 to 74 share the first page with the prefix.
  EXPECT_EQ(*world.target.pool.Page(0, room.target_pages[0]), TestPool::kCanary);
}

TEST_P(TransportConformance, LandsEveryChunkBeforeItsPart) {
  World world(GetParam());
  const ChannelPair channel = world.Connect();
  const Room& room = world.NewRoom(500);
  ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(room)).ok());
  int64_t mismatch = -2;
  world.target.recorder.on_part = [&](PeerId, OfferId) { mismatch = world.FirstMismatch(room); };
  std::vector<uint64_t> cookies;
  for (uint32_t begin = 0; begin < 500; begin += 50) {
    Segment segment = world.SegmentOf(room, begin, begin + 50, begin == 450);
    cookies.push_back(segment.cookie);
    ASSERT_EQ(world.source.transport->Submit(channel.source, std::move(segment)),
              Submitted::kAccepted);
    ASSERT_FALSE(world.HasPart(room));
  }
  ASSERT_TRUE(world.Drive(
      [&] { return world.HasPart(room) && world.source.recorder.done.size() == cookies.size(); }));
  EXPECT_EQ(mismatch, -1);
  EXPECT_EQ(world.source.recorder.done_order, cookies);
}

TEST_P(TransportConformance, InterleavesManyRoomsSoThatASmallOneOvertakesALargeOne) {
  World world(GetParam(), {.token_bytes = 4096, .pages = 512}, {.token_bytes = 4096, .pages = 512});
  const ChannelPair channel = world.Connect();
  std::vector<const Room*> rooms{&world.NewRoom(16 * 200)};
  for (int i = 0; i < 40; ++i) rooms.push_back(&world.NewRoom(16 + i));
  for (const Room* room : rooms) {
    ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(*room)).ok());
    world.Send(channel.source, *room);
  }
  ASSERT_TRUE(world.Drive([&] { return world.target.recorder.parts.size() == rooms.size(); }));
  std::vector<int32_t> written;
  for (const Room* room : rooms) {
    EXPECT_EQ(world.FirstMismatch(*room), -1);
    written.insert(written.end(), room->target_pages.begin(), room->target_pages.end());
  }
  EXPECT_EQ(world.target.pool.FirstTouched(written), -1);
  const Recorder::PartKey large{World::kSource, rooms[0]->offer, 0};
  EXPECT_EQ(world.target.recorder.part_order.back(), large);
}

TEST_P(TransportConformance, ClosesAPartThatHadNoBytes) {
  World world(GetParam());
  const ChannelPair channel = world.Connect();
  const Room& room = world.NewRoom(64);
  ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(room)).ok());
  Segment segment = world.SegmentOf(room, 64, 64, true);
  segment.chunk.last = true;
  const uint64_t cookie = segment.cookie;
  world.source.transport->Submit(channel.source, std::move(segment));
  ASSERT_TRUE(world.Drive(
      [&] { return world.HasPart(room) && world.source.recorder.done.contains(cookie); }));
  if (world.checked_by_target()) {
    EXPECT_EQ((world.target.recorder.parts[{World::kSource, room.offer, 0}]), 0u);
  }
  EXPECT_EQ(world.target.pool.FirstTouched({}), -1);
}

TEST_P(TransportConformance, ClosesAPartByAnEmptySegmentAfterOthers) {
  World world(GetParam());
  const ChannelPair channel = world.Connect();
  const Room& room = world.NewRoom(64);
  ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(room)).ok());
  world.source.transport->Submit(channel.source, world.SegmentOf(room, 0, 64, false));
  world.source.transport->Submit(channel.source, world.SegmentOf(room, 64, 64, false));
  ASSERT_TRUE(world.Drive([&] { return world.source.recorder.done.size() == 2; }));
  world.Settle();
  EXPECT_FALSE(world.HasPart(room));
  world.source.transport->Submit(channel.source, world.SegmentOf(room, 64, 64, true));
  ASSERT_TRUE(world.Drive([&] { return world.HasPart(room); }));
  EXPECT_EQ(world.FirstMismatch(room), -1);
}

TEST_P(TransportConformance, SplitsARoomIntoPartsOverSeveralChannels) {
  World world(GetParam());
  std::vector<ChannelPair> channels;
  for (int i = 0; i < 4; ++i) channels.push_back(world.Connect());
  const Room& room = world.NewRoom(400);
  ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(room)).ok());
  for (uint32_t part = 0; part < 4; ++part) {
    Segment segment = world.SegmentOf(room, part * 100, part * 100 + 100, true);
    segment.part = part + 60;
    world.source.transport->Submit(channels[part].source, std::move(segment));
  }
  ASSERT_TRUE(world.Drive([&] { return world.target.recorder.parts.size() == 4; }));
  EXPECT_EQ(world.FirstMismatch(room), -1);
}

TEST_P(TransportConformance, ReachesOffsetsPastFourGiB) {
  // Sparse, and where it cannot stay so because a device pins it, of the same few pages again and
  // again.
  const PoolShape far{.pages = 32,
                      .base_offset = (uint64_t{1} << 32) + (uint64_t{1} << 30),
                      .filled_below = GetParam().pins_memory};
  World world(GetParam(), far, far);
  const ChannelPair channel = world.Connect();
  const Room& room = world.NewRoom(300);
  ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(room)).ok());
  world.Send(channel.source, room);
  ASSERT_TRUE(world.Drive([&] { return world.HasPart(room); }));
  EXPECT_EQ(world.FirstMismatch(room), -1);
  EXPECT_EQ(world.target.pool.FirstTouched(room.target_pages), -1);
  EXPECT_TRUE(!far.filled_below || world.target.pool.FillerIsUntouched());
}

TEST_P(TransportConformance, MovesMoreThanFourGiBInOneRoom) {
  // 4.1 GiB over a small pool: the page lists name the same pages again and again, in step.
  const PoolShape shape{
      .layers = 1, .page_tokens = 16, .token_bytes = 64 << 10, .pages = 8, .gap_bytes = 64};
  World world(GetParam(), shape, shape);
  const ChannelPair channel = world.Connect();
  Room& room = world.NewRoom(8 * 16);
  const size_t pages = 4200;
  room.tokens.total = pages * 16;
  room.source_pages.resize(8);
  room.target_pages.resize(8);
  for (size_t i = 8; i < pages; ++i) {
    room.source_pages.push_back(room.source_pages[i % 8]);
    room.target_pages.push_back(room.target_pages[i % 8]);
  }
  room.source_side.pages = {absl::MakeConstSpan(room.source_pages)};
  room.target_side.pages = {absl::MakeConstSpan(room.target_pages)};
  ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(room)).ok());
  world.Send(channel.source, room);
  ASSERT_TRUE(
      world.Drive([&] { return world.HasPart(room) && world.source.recorder.done.size() == 1; }));
  const uint64_t bytes = world.BytesLanded();
  EXPECT_GT(bytes, uint64_t{1} << 32);
  EXPECT_EQ(bytes, pages << 20);
  room.tokens.total = 8 * 16;
  EXPECT_EQ(world.FirstMismatch(room), -1);
  EXPECT_EQ(world.target.pool.FirstTouched(room.target_pages), -1);
}

TEST_P(TransportConformance, ChecksWhatItMovesWhenAskedTo) {
  World world(GetParam(), {}, {}, /*checksums=*/true);
  if (!world.target.transport->capabilities().checksums) return;
  const ChannelPair channel = world.Connect();
  const Room& room = world.NewRoom(200);
  ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(room, /*checksums=*/true)).ok());
  world.Send(channel.source, room);
  ASSERT_TRUE(world.Drive([&] { return world.HasPart(room); }));
  EXPECT_EQ(world.FirstMismatch(room), -1);
}

TEST_P(TransportConformance, SleepsWhenThereIsNothingToDoAndWakesForWork) {
  World world(GetParam());
  const ChannelPair channel = world.Connect();
  world.Settle();
  EXPECT_FALSE(world.source.recorder.Poll(world.source.transport.get()));
  EXPECT_FALSE(world.target.recorder.Poll(world.target.transport.get()));
  EXPECT_TRUE(world.source.transport->PrepareToSleep());
  EXPECT_TRUE(world.target.transport->PrepareToSleep());
  const Room& room = world.NewRoom(16);
  ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(room)).ok());
  world.Send(channel.source, room);
  EXPECT_FALSE(world.source.transport->PrepareToSleep()) << "work was submitted";
  EXPECT_TRUE(world.Drive([&] { return world.HasPart(room); }));
}

}  // namespace
}  // namespace baton::transport

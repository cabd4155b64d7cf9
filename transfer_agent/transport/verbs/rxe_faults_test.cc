// What goes wrong between two workers on real devices, and what must hold then. For the RDMA bed:
// two rails that can be taken down, a host of its own whose devices nobody else uses.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "transfer_agent/transport/conformance/world.h"
#include "transfer_agent/transport/verbs/factory.h"

namespace baton::transport {
namespace {

constexpr PoolShape kLarge{.layers = 2, .page_tokens = 16, .token_bytes = 4096, .pages = 512};

Candidate Verbs(uint32_t rails, bool windows = false) {
  verbs::VerbsOptions options;
  options.memory_windows = windows;
  options.wishes.rails_max = rails;
  options.fence_timeout = std::chrono::milliseconds(100);
  return {.name = "verbs",
          .create = [options](bool) { return CreateVerbsTransport(options); },
          .pins_memory = true};
}

std::string DeviceObjects() {
  FILE* pipe = popen("rdma resource show", "re");
  std::string text;
  char buffer[512];
  while (pipe != nullptr && fgets(buffer, sizeof(buffer), pipe) != nullptr) text += buffer;
  if (pipe != nullptr) pclose(pipe);
  return text;
}

// After every test the kernel counts what it counted before.
class RxeFaults : public testing::Test {
 protected:
  void SetUp() override {
    before_ = DeviceObjects();
    ASSERT_NE(before_.find("rxe1"), std::string::npos) << "this runs on the RDMA bed: " << before_;
  }
  void TearDown() override { EXPECT_EQ(DeviceObjects(), before_); }

 private:
  std::string before_;
};

void SetRail(int rail, bool up) {
  const std::string command = absl::StrCat("/sbin/ip link set rail", rail, up ? " up" : " down");
  ASSERT_EQ(system(command.c_str()), 0) << command;
}

void ExpectRoomLands(World* world, const ChannelPair& channel) {
  const Room& room = world->NewRoom(16 * 20);
  ASSERT_TRUE(world->target.transport->OpenWindow(world->WindowOf(room)).ok());
  const uint64_t cookie = world->Send(channel.source, room);
  ASSERT_TRUE(world->Drive(
      [&] { return world->HasPart(room) && world->source.recorder.done.contains(cookie); }));
  EXPECT_EQ(world->FirstMismatch(room), -1);
}

TEST_F(RxeFaults, APartThatIsClosedAgainIsReportedOnce) {
  World world(Verbs(2));
  const ChannelPair channel = world.Connect();
  const Room& room = world.NewRoom(300);
  ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(room)).ok());
  world.Send(channel.source, room);
  for (int i = 0; i < 20; ++i) {
    world.source.transport->Submit(channel.source, world.SegmentOf(room, 300, 300, true));
  }
  ASSERT_TRUE(world.Drive([&] { return world.source.recorder.done.size() == 21; }));
  world.Settle();
  EXPECT_EQ(world.target.recorder.part_order.size(), 1u);
  EXPECT_EQ(world.FirstMismatch(room), -1);
  ExpectRoomLands(&world, channel);
}

TEST_F(RxeFaults, PartsLandInWhateverOrderTheyAreClosed) {
  World world(Verbs(2), kLarge, kLarge);
  std::vector<ChannelPair> channels;
  for (int i = 0; i < 3; ++i) channels.push_back(world.Connect());
  const Room& room = world.NewRoom(16 * 96);
  ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(room)).ok());
  // From the last part to the first; the later a part, the larger, so that they overtake each
  // other.
  uint32_t end = 16 * 96;
  for (uint32_t part = 12; part-- > 0;) {
    const uint32_t begin = part == 0 ? 0 : end - 16 * (part + 1);
    Segment segment = world.SegmentOf(room, begin, end, true);
    segment.part = part;
    end = begin;
    ASSERT_EQ(world.source.transport->Submit(channels[part % 3].source, std::move(segment)),
              Submitted::kAccepted);
  }
  ASSERT_TRUE(world.Drive([&] { return world.target.recorder.parts.size() == 12; }));
  world.Settle();
  EXPECT_EQ(world.target.recorder.part_order.size(), 12u);
  EXPECT_EQ(world.FirstMismatch(room), -1);
}

TEST_F(RxeFaults, FencesUnderLoadLetNothingLandAndTakeNothingFromOtherRooms) {
  World world(Verbs(2), kLarge, kLarge);
  const ChannelPair channel = world.Connect();
  std::vector<const Room*> rooms;
  std::vector<uint64_t> cookies;
  for (int i = 0; i < 20; ++i) {
    rooms.push_back(&world.NewRoom(16 * 20));
    ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(*rooms.back())).ok());
    cookies.push_back(world.Send(channel.source, *rooms.back()));
  }
  ASSERT_TRUE(world.Drive([&] { return world.BytesLanded() > 1'000'000; }));
  std::vector<int32_t> kept;
  for (size_t i = 0; i < rooms.size(); ++i) {
    if (i % 2 != 0) {
      kept.insert(kept.end(), rooms[i]->target_pages.begin(), rooms[i]->target_pages.end());
      continue;
    }
    world.FenceTogether(channel.source, *rooms[i], cookies[i]);
    ASSERT_TRUE(world.DriveOne(&world.target, [&] { return world.IsFenced(*rooms[i]); }));
    // From here on these pages are another's.
    for (uint32_t layer = 0; layer < kLarge.layers; ++layer) {
      for (int32_t page : rooms[i]->target_pages) {
        std::memset(world.target.pool.Page(layer, page), static_cast<int>(TestPool::kCanary),
                    world.target.pool.page_bytes());
      }
    }
  }
  for (size_t i = 1; i < rooms.size(); i += 2) {
    ASSERT_TRUE(world.Drive([&] { return world.HasPart(*rooms[i]); })) << i;
    EXPECT_EQ(world.FirstMismatch(*rooms[i]), -1) << i;
  }
  world.Settle();
  EXPECT_EQ(world.target.pool.FirstTouched(kept), -1);
  EXPECT_FALSE(world.source.recorder.is_down(channel.source));
}

// With `windows` the device takes the keys of the channel back before its queue pairs go.
void ExpectNothingLandsAfterAFenceWithoutAnAnswer(bool windows) {
  World world(Verbs(2, windows), kLarge, kLarge);
  const ChannelPair channel = world.Connect();
  const Room& before = world.NewRoom(16 * 20);
  ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(before)).ok());
  world.Send(channel.source, before);
  ASSERT_TRUE(world.Drive([&] { return world.HasPart(before); }));
  EXPECT_EQ(world.FirstMismatch(before), -1);
  const Room& room = world.NewRoom(16 * 400);
  ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(room)).ok());
  const uint64_t cookie = world.Send(channel.source, room);
  ASSERT_TRUE(world.Drive([&] { return world.BytesLanded() > 2'000'000; }));
  // The source is not polled from here on: what it posted is its device's to send.
  world.target.transport->Fence(World::kSource, room.offer);
  ASSERT_TRUE(world.DriveOne(&world.target, [&] { return world.IsFenced(room); }));
  world.target.pool.FillCanary();
  ASSERT_TRUE(world.Drive([&] { return world.source.recorder.done.contains(cookie); }));
  world.Settle();
  EXPECT_FALSE(world.source.recorder.done[cookie].ok());
  EXPECT_FALSE(world.HasPart(room));
  EXPECT_EQ(world.target.pool.FirstTouched({}), -1);
}

TEST_F(RxeFaults, NothingLandsAfterAFenceThatTheSourceDoesNotAnswer) {
  ExpectNothingLandsAfterAFenceWithoutAnAnswer(/*windows=*/false);
}

TEST_F(RxeFaults, NothingLandsOnceTheKeysOfAChannelAreTakenBack) {
  ExpectNothingLandsAfterAFenceWithoutAnAnswer(/*windows=*/true);
}

TEST_F(RxeFaults, ARailThatGoesDownInMidTransferIsLeftAndTakenAgainWhenItIsBack) {
  for (int rail : {0, 1}) {
    World world(Verbs(2), kLarge, kLarge);
    const ChannelPair channel = world.Connect();
    const Room& room = world.NewRoom(16 * 400);
    ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(room)).ok());
    const uint64_t cookie = world.Send(channel.source, room);
    ASSERT_TRUE(world.Drive([&] { return world.BytesLanded() > 1'000'000; }));
    SetRail(rail, false);
    // It moves to the other rail, or it fails and says of which rail.
    ASSERT_TRUE(world.Drive([&] { return world.source.recorder.done.contains(cookie); }));
    const absl::Status& end = world.source.recorder.done[cookie];
    if (end.ok()) {
      EXPECT_TRUE(world.Drive([&] { return world.HasPart(room); }));
      EXPECT_EQ(world.FirstMismatch(room), -1);
    } else {
      EXPECT_NE(end.message().find(absl::StrCat("rxe", rail)), absl::string_view::npos) << end;
      EXPECT_FALSE(world.HasPart(room));
    }
    world.Settle();
    ExpectRoomLands(&world, world.Connect());
    SetRail(rail, true);
    world.Settle();
    SetRail(1 - rail, false);
    world.Settle();
    // Only over the one that came back.
    ExpectRoomLands(&world, world.Connect());
    SetRail(1 - rail, true);
    world.Settle();
  }
}

}  // namespace
}  // namespace baton::transport

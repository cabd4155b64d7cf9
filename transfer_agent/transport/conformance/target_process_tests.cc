// A target in a process of its own, which is killed or stopped in mid-page.
#include <unistd.h>

#include <fstream>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "transfer_agent/transport/conformance/child.h"
#include "transfer_agent/transport/conformance/world.h"

namespace baton::transport {
namespace {

constexpr PoolShape kLarge{.layers = 2, .page_tokens = 16, .token_bytes = 4096, .pages = 512};

// The child: opens the room's window, accepts a channel, lands what comes until it is killed.
[[noreturn]] void RunTarget(const Candidate& candidate, World* world, const Room& room, int fd) {
  Node node(candidate, kLarge);
  Window window = world->WindowOf(room);
  window.memory = node.memory;
  CHECK(node.transport->OpenWindow(window).ok());
  absl::StatusOr<OpenedChannel> accepted =
      node.transport->Accept(World::kSource, ReceiveMessage(fd));
  CHECK(accepted.ok()) << accepted.status();
  SendMessage(fd, accepted->data);
  SendMessage(fd, absl::StrCat("key:", node.key));
  bool landed = false;
  for (;;) {
    node.recorder.Poll(node.transport.get());
    if (landed || node.transport->counters().bytes_landed < 1'000'000) continue;
    landed = true;
    SendMessage(fd, "landed");
  }
}

class TargetProcess : public Child {
 public:
  TargetProcess(const Candidate& candidate, World* world, const Room& room)
      : Child([&](int fd) { RunTarget(candidate, world, room, fd); }) {
    absl::StatusOr<OpenedChannel> opened = world->source.transport->Open(PeerId(5));
    CHECK(opened.ok()) << opened.status();
    channel = opened->id;
    SendMessage(fd(), opened->data);
    CHECK(world->source.transport->Complete(channel, ReceiveMessage(fd())).ok());
    absl::StatusOr<RemoteMemoryId> imported =
        world->source.transport->ImportMemory(PeerId(5), ReceiveMessage(fd()).substr(4));
    CHECK(imported.ok()) << imported.status();
    remote = *imported;
    CHECK(world->DriveOne(&world->source, [&] { return world->source.recorder.is_up(channel); }));
  }

  Submitted Submit(World* world, const Room& room, uint32_t end) const {
    Segment segment = world->SegmentOf(room, 0, end, false);
    segment.remote = remote;
    return world->source.transport->Submit(channel, std::move(segment));
  }
  // It sees something landing, or where it cannot, this side saw it acknowledged.
  bool IsReceiving(const World& world) const {
    return world.checked_by_target() ? HasMessage() : world.BytesLanded() > 1'000'000;
  }

  ChannelId channel;
  RemoteMemoryId remote;
};

// Submits the room until the bound is reached; what was accepted.
uint32_t SubmitAll(World* world, const TargetProcess& child, const Room& room) {
  uint32_t accepted = 0;
  for (int round = 0; round < 400; ++round) {
    while (child.Submit(world, room, room.tokens.total) == Submitted::kAccepted) ++accepted;
    world->source.recorder.Poll(world->source.transport.get());
  }
  return accepted;
}

uint64_t ResidentBytes() {
  uint64_t pages = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

// Another target on the same worker gets its room whole.
void ExpectServed(World* world) {
  const ChannelPair channel = world->Connect();
  const Room& room = world->NewRoom(16 * 50);
  ASSERT_TRUE(world->target.transport->OpenWindow(world->WindowOf(room)).ok());
  world->Send(channel.source, room);
  ASSERT_TRUE(world->Drive([&] { return world->HasPart(room); }));
  EXPECT_EQ(world->FirstMismatch(room), -1);
}

TEST_P(TransportConformance, EndsEverySegmentToATargetThatIsKilledInMidPage) {
  if (!GetParam().processes) GTEST_SKIP() << "reaches no other process";
  World world(GetParam(), kLarge, kLarge);
  const Room& room = world.NewRoom(16 * 400);
  TargetProcess child(GetParam(), &world, room);
  const uint32_t accepted = SubmitAll(&world, child, room);
  ASSERT_GT(accepted, 0u);
  child.Signal(SIGKILL);
  ASSERT_TRUE(
      world.DriveOne(&world.source, [&] { return world.source.recorder.is_down(child.channel); }));
  EXPECT_EQ(world.source.recorder.done.size(), accepted);
  EXPECT_EQ(child.Submit(&world, room, 16), Submitted::kNoChannel);
  ExpectServed(&world);
}

TEST_P(TransportConformance, HoldsLittleForAStoppedTargetAndServesOthers) {
  if (!GetParam().processes) GTEST_SKIP() << "reaches no other process";
  World world(GetParam(), kLarge, kLarge);
  const Room& room = world.NewRoom(16 * 400);
  TargetProcess child(GetParam(), &world, room);
  ASSERT_EQ(child.Submit(&world, room, room.tokens.total), Submitted::kAccepted);
  ASSERT_TRUE(world.DriveOne(&world.source, [&] { return child.IsReceiving(world); }));
  child.Stop();
  const uint64_t before = ResidentBytes();
  const uint32_t accepted = SubmitAll(&world, child, room);
  EXPECT_LE(accepted - world.source.recorder.done.size(), kSegmentsPerChannelMax + 16);
  // 13 GB are on their way to it.
  EXPECT_LT(ResidentBytes(), before + (16 << 20));
  ExpectServed(&world);

  child.Signal(SIGCONT);
  world.source.transport->Cancel(child.channel, room.offer);
  ASSERT_TRUE(world.DriveOne(&world.source,
                             [&] { return world.source.recorder.done.size() == accepted + 2; }));
  EXPECT_FALSE(world.source.recorder.is_down(child.channel));
}

}  // namespace
}  // namespace baton::transport

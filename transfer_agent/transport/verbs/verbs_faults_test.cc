// What devices and peers do wrong, on a fake network with a seed.
#include <memory>

#include "gtest/gtest.h"
#include "transfer_agent/transport/conformance/world.h"
#include "transfer_agent/transport/verbs/fake_provider/fake_net.h"
#include "transfer_agent/transport/verbs/verbs_transport.h"

namespace baton::transport::verbs {
namespace {

constexpr PoolShape kLarge{.layers = 2, .page_tokens = 16, .token_bytes = 4096, .pages = 512};

struct Net {
  Net() { net->AddDevice({.name = "fake0", .port = {}}); }

  Candidate candidate() const {
    return {.name = "fake",
            .create = [net = net](bool) -> absl::StatusOr<std::unique_ptr<Transport>> {
              VerbsOptions options;
              options.send_queue = 128;
              return VerbsTransport::Create(net->NewProvider(), options);
            },
            .processes = false};
  }

  std::shared_ptr<FakeNet> net = std::make_shared<FakeNet>();
};

void ExpectRoomLands(World* world, const ChannelPair& channel) {
  const Room& room = world->NewRoom(16 * 40);
  ASSERT_TRUE(world->target.transport->OpenWindow(world->WindowOf(room)).ok());
  const uint64_t cookie = world->Send(channel.source, room);
  ASSERT_TRUE(world->Drive(
      [&] { return world->HasPart(room) && world->source.recorder.done.contains(cookie); }));
  EXPECT_EQ(world->FirstMismatch(room), -1);
}

TEST(VerbsFaults, KeepAnIdleChannelThatIsProbed) {
  Net net;
  World world(net.candidate());
  const ChannelPair channel = world.Connect();
  for (int second = 0; second < 30; ++second) {
    for (Node* node : {&world.source, &world.target}) {
      node->recorder.Poll(node->transport.get(), std::chrono::seconds(second));
    }
    world.Settle();
  }
  EXPECT_FALSE(world.source.recorder.is_down(channel.source));
  EXPECT_FALSE(world.target.recorder.is_down(channel.target));
  ExpectRoomLands(&world, channel);
}

TEST(VerbsFaults, LandRoomsWhateverHappensToCompletions) {
  Net net;
  net.net->faults() = {.seed = 7,
                       .drop_send = 200,
                       .repeat_send = 200,
                       .late = 200,
                       .repeat_immediate = 500,
                       .full_queue = 300};
  World world(net.candidate(), kLarge, kLarge);
  const ChannelPair channel = world.Connect();
  for (int i = 0; i < 10; ++i) ExpectRoomLands(&world, channel);
  EXPECT_FALSE(world.source.recorder.is_down(channel.source));
}

TEST(VerbsFaults, FailRoomsOfABrokenQueuePairWithACauseAndServeOthers) {
  Net net;
  World world(net.candidate(), kLarge, kLarge);
  const ChannelPair broken = world.Connect();
  const uint32_t number = net.net->QpNumbers().front();
  const ChannelPair other = world.Connect();
  const Room& room = world.NewRoom(16 * 100);
  ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(room)).ok());
  const uint64_t cookie = world.Send(broken.source, room);
  ASSERT_TRUE(world.Drive([&] { return world.BytesLanded() > 100'000; }));
  net.net->BreakQp(number);
  ASSERT_TRUE(world.Drive([&] { return world.source.recorder.is_down(broken.source); }));
  EXPECT_FALSE(world.source.recorder.done[cookie].ok());
  EXPECT_NE(world.source.recorder.down[broken.source].message().find("fake0/1"),
            absl::string_view::npos);
  EXPECT_FALSE(world.HasPart(room));
  ExpectRoomLands(&world, other);
}

TEST(VerbsFaults, OpenChannelsToOthersAfterAPeerDied) {
  Net net;
  World world(net.candidate(), kLarge, kLarge);
  const ChannelPair channel = world.Connect();
  const Room& room = world.NewRoom(16 * 100);
  world.Send(channel.source, room);
  world.target.transport->ForgetPeer(World::kSource);
  ASSERT_TRUE(world.Drive([&] { return world.source.recorder.is_down(channel.source); }));
  ExpectRoomLands(&world, world.Connect());
}

TEST(VerbsFaults, GiveASourceNoChannelUntilItAnswersTheFence) {
  Net net;
  World world(net.candidate());
  world.Connect();
  const Room& room = world.NewRoom(100);
  ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(room)).ok());
  world.target.transport->Fence(World::kSource, room.offer);
  ASSERT_TRUE(world.DriveOne(&world.target, [&] { return world.IsFenced(room); }));
  auto opened = world.source.transport->Open(World::kTarget);
  ASSERT_TRUE(opened.ok());
  EXPECT_FALSE(world.target.transport->Accept(World::kSource, opened->data).ok());
  world.target.transport->FenceDrained(World::kSource, room.offer);
  EXPECT_TRUE(world.target.transport->Accept(World::kSource, opened->data).ok());
}

TEST(VerbsFaults, GiveBackEverythingTheyTook) {
  Net net;
  {
    World world(net.candidate());
    ExpectRoomLands(&world, world.Connect());
  }
  EXPECT_EQ(net.net->objects(), 0);
}

}  // namespace
}  // namespace baton::transport::verbs

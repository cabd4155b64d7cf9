// What devices and peers do wrong, on a fake network with a seed.
#include "common/reason.h"
#include "gtest/gtest.h"
#include "transfer_agent/transport/segment_end.h"
#include "transfer_agent/transport/verbs/fake_world.h"
#include "transfer_agent/transport/verbs/message.h"

namespace baton::transport::verbs {
namespace {

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

TEST(VerbsFaults, SayWhatFailedAlsoWhereReceivesAreFlushedBeforeIt) {
  Net net;
  net.net->AddDevice({.name = "fake1", .port = {}});
  World world(net.candidate(), kLarge, kLarge);
  const ChannelPair channel = world.Connect();
  net.net->faults().fail = 1000;
  net.net->faults().receives_first = true;
  world.Send(channel.source, world.NewRoom(100));
  ASSERT_TRUE(world.Drive([&] { return world.source.recorder.is_down(channel.source); }));
  const std::string cause(world.source.recorder.down[channel.source].message());
  EXPECT_NE(cause.find("no acknowledgement after all retries"), std::string::npos) << cause;
  // So the rail is left out, and what comes next does not fail over it again.
  const auto opened = world.source.transport->Open(World::kTarget);
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(ParseOpen(opened->data)->endpoints.size(), 1u);
}

TEST(VerbsFaults, OpenChannelsOnADeviceThatTakesLessInADescriptorThanItsLimitsSay) {
  Net net;
  net.net->AddDevice({.name = "fake1", .port = {}, .inline_max = 48, .elements_max = 5});
  net.net->AddDevice({.name = "fake2", .port = {}, .inline_max = 0, .elements_max = 1});
  World world(net.candidate());
  ExpectRoomLands(&world, world.Connect());
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

TEST(VerbsFaults, MarkWhatABrokenQueuePairHadPostedAsInDoubt) {
  Net net;
  World world(net.candidate(), kLarge, kLarge);
  const ChannelPair channel = world.Connect();
  const Room& room = world.NewRoom(16 * 100);
  const Room& waiting = world.NewRoom(16 * 100);
  const uint64_t posted = world.Send(channel.source, room);
  ASSERT_TRUE(world.Drive([&] { return world.BytesLanded() > 100'000; }));
  const uint64_t not_posted = world.Send(channel.source, waiting);
  net.net->BreakQp(net.net->Sending().front());
  ASSERT_TRUE(
      world.DriveOne(&world.source, [&] { return world.source.recorder.done.size() == 2; }));
  EXPECT_EQ(EndOf(world.source.recorder.done[posted]), SegmentEnd::kDoubt);
  EXPECT_EQ(EndOf(world.source.recorder.done[not_posted]), SegmentEnd::kFailed);
}

TEST(VerbsFaults, RetireAChannelAfterWhatHasArrivedAndBeforeAnythingElse) {
  Net net;
  World world(net.candidate(), kLarge, kLarge);
  const ChannelPair channel = world.Connect();
  const Room& room = world.NewRoom(16 * 40);
  const Room& late = world.NewRoom(16 * 40);
  for (const Room* r : {&room, &late}) {
    ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(*r)).ok());
  }
  const uint64_t cookie = world.Send(channel.source, room);
  // The source alone makes the wire move: the target has not looked at what came.
  ASSERT_TRUE(
      world.DriveOne(&world.source, [&] { return world.source.recorder.done.contains(cookie); }));
  EXPECT_FALSE(world.HasPart(room));
  world.target.transport->Retire(channel.target);
  EXPECT_TRUE(world.target.recorder.retired.empty()) << "an event fired inside the call";
  ASSERT_TRUE(world.DriveOne(
      &world.target, [&] { return world.target.recorder.retired.contains(channel.target); }));
  EXPECT_TRUE(world.HasPart(room));
  world.target.pool.FillCanary();
  world.Send(channel.source, late);
  ASSERT_TRUE(world.Drive([&] { return world.source.recorder.is_down(channel.source); }));
  EXPECT_EQ(world.target.pool.FirstTouched({}), -1);
  EXPECT_FALSE(world.HasPart(late));
  // Of a channel that has ended it says so too.
  world.target.recorder.retired.clear();
  world.target.transport->Retire(channel.target);
  EXPECT_TRUE(
      world.DriveOne(&world.target, [&] { return !world.target.recorder.retired.empty(); }));
}

TEST(VerbsFaults, CloseTheChannelThatWasNotUsedForLongestForANewOne) {
  Net net;
  net.options.channels_max = 2;
  World world(net.candidate(), kLarge, kLarge);
  const ChannelPair first = world.Connect();
  const ChannelPair second = world.Connect();
  ExpectRoomLands(&world, first);
  ExpectRoomLands(&world, world.Connect());
  EXPECT_TRUE(world.source.recorder.is_down(second.source));
  EXPECT_FALSE(world.source.recorder.is_down(first.source));
  ExpectRoomLands(&world, first);
}

TEST(VerbsFaults, RefuseAChannelWhenAllAreInUse) {
  Net net;
  net.options.channels_max = 1;
  World world(net.candidate(), kLarge, kLarge);
  const ChannelPair channel = world.Connect();
  net.net->set_work_per_poll(0);
  world.Send(channel.source, world.NewRoom(16 * 100));
  world.Settle();
  const auto refused = world.source.transport->Open(World::kTarget);
  EXPECT_EQ(ReasonOf(refused.status()), Reason::kFull) << refused.status();
}

TEST(VerbsFaults, MakeRoomInACompletionQueueThatIsFull) {
  Net net;
  net.options.completion_queue = 700;
  net.options.receive_queue = 32;
  World world(net.candidate());
  const ChannelPair first = world.Connect();
  for (int i = 0; i < 6; ++i) world.Connect();
  ExpectRoomLands(&world, world.Connect());
  EXPECT_TRUE(world.source.recorder.is_down(first.source));
}

TEST(VerbsFaults, KeepANumberUntilNoPacketToItCanBeUnderWay) {
  Net net;
  World world(net.candidate());
  const ChannelPair channel = world.Connect();
  const auto numbers = net.net->QpNumbers();
  ASSERT_EQ(numbers.size(), 2u);
  world.source.transport->ForgetPeer(World::kTarget);
  world.target.transport->ForgetPeer(World::kSource);
  world.Settle();
  EXPECT_EQ(net.net->QpNumbers(), numbers) << "free before the horizon";
  const Duration horizon = net.options.retry_horizon();
  for (Node* node : {&world.source, &world.target}) {
    node->recorder.Poll(node->transport.get(), horizon / 2);
  }
  EXPECT_EQ(net.net->QpNumbers(), numbers) << "free before the horizon";
  for (Node* node : {&world.source, &world.target}) {
    node->recorder.Poll(node->transport.get(), horizon * 2);
  }
  EXPECT_TRUE(net.net->QpNumbers().empty());
  (void)channel;
}

TEST(VerbsFaults, OpenAChannelToAPeerThatHasStartedAgain) {
  Net net;
  World world(net.candidate());
  const ChannelPair before = world.Connect();
  auto stale = world.source.transport->Open(World::kTarget);
  ASSERT_TRUE(stale.ok());
  // A new start is a new peer: both forget the old one, and nothing of it is answered any more.
  world.source.transport->ForgetPeer(World::kTarget);
  EXPECT_FALSE(world.source.transport->Complete(stale->id, "late answer").ok());
  world.remote = *world.source.transport->ImportMemory(World::kTarget, world.target.key);
  ExpectRoomLands(&world, world.Connect());
  EXPECT_FALSE(world.source.recorder.is_down(before.source)) << "told of a peer that is forgotten";
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

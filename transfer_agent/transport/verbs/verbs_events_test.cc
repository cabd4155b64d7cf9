// What devices say by themselves: ports, addresses, failures; and which rails are used then.
#include "common/reason.h"
#include "gtest/gtest.h"
#include "transfer_agent/transport/verbs/fake_world.h"

namespace baton::transport::verbs {
namespace {

// Both take what their devices have to say, which they look for every 5 ms.
void Notice(World* world, int times_before = 0) {
  for (Node* node : {&world->source, &world->target}) {
    node->recorder.Poll(node->transport.get(), std::chrono::milliseconds(6 * (1 + times_before)));
  }
}

TEST(VerbsEvents, SayThatAnotherChannelWouldBeBetterWhenARailIsBack) {
  Net net;
  net.net->AddDevice({.name = "fake1", .port = {}});
  World world(net.candidate());
  net.net->SetPortActive("fake1", false);
  Notice(&world);
  const ChannelPair narrow = world.Connect();
  EXPECT_FALSE(world.source.transport->Superseded(narrow.source));
  net.net->SetPortActive("fake1", true);
  Notice(&world, 1);
  ASSERT_TRUE(world.Drive([&] { return world.source.transport->Superseded(narrow.source); }));
  const ChannelPair wide = world.Connect();
  EXPECT_FALSE(world.source.transport->Superseded(wide.source));
  ExpectRoomLands(&world, wide);
}

TEST(VerbsEvents, LeaveOutARailOverWhichThePeerWasNotReachedUntilItsPauseIsOver) {
  Net net;
  net.net->AddDevice({.name = "fake1", .port = {}});
  World world(net.candidate());
  const ChannelPair first = world.Connect();
  net.net->faults().fail = 1000;
  const Room& room = world.NewRoom(100);
  world.Send(first.source, room);
  ASSERT_TRUE(world.Drive([&] { return world.source.recorder.is_down(first.source); }));
  net.net->faults().fail = 0;
  const ChannelPair second = world.Connect();
  ExpectRoomLands(&world, second);
  world.source.recorder.Poll(world.source.transport.get(), std::chrono::seconds(40));
  EXPECT_TRUE(world.source.transport->Superseded(second.source));
}

TEST(VerbsEvents, MoveChannelsFromAPortThatStaysDownAndRideOutAFlap) {
  Net net;
  net.net->AddDevice({.name = "fake1", .port = {}});
  World world(net.candidate());
  const ChannelPair channel = world.Connect();
  net.net->SetPortActive("fake0", false);
  world.Settle();
  net.net->SetPortActive("fake0", true);
  world.Settle();
  EXPECT_FALSE(world.source.recorder.is_down(channel.source));
  net.net->SetPortActive("fake0", false);
  world.Settle();
  for (int ms : {10, 600}) {
    world.source.recorder.Poll(world.source.transport.get(), std::chrono::milliseconds(ms));
  }
  world.source.recorder.Poll(world.source.transport.get(), std::chrono::milliseconds(1200));
  world.source.recorder.Poll(world.source.transport.get(), std::chrono::milliseconds(1200));
  ASSERT_TRUE(world.source.recorder.is_down(channel.source));
  const std::string cause(world.source.recorder.down[channel.source].message());
  EXPECT_NE(cause.find("fake0/1: port is down"), std::string::npos) << cause;
  ExpectRoomLands(&world, world.Connect());
}

TEST(VerbsEvents, OpenChannelsUnderTheNewAddressAfterItChanged) {
  Net net;
  World world(net.candidate());
  const ChannelPair channel = world.Connect();
  GidBytes gid{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 99};
  net.net->SetAddress("fake0", gid);
  Notice(&world);
  ASSERT_TRUE(world.Drive([&] { return world.source.recorder.is_down(channel.source); }));
  const std::string cause(world.source.recorder.down[channel.source].message());
  EXPECT_NE(cause.find("GID table has changed"), std::string::npos) << cause;
  ExpectRoomLands(&world, world.Connect());
}

TEST(VerbsEvents, UseARailAgainOnceItHasAnAddressAgain) {
  Net net;
  World world(net.candidate());
  const ChannelPair channel = world.Connect();
  net.net->SetAddress("fake0", GidBytes{});
  Notice(&world);
  ASSERT_TRUE(world.Drive([&] { return world.source.recorder.is_down(channel.source); }));
  const auto refused = world.source.transport->Open(World::kTarget);
  EXPECT_EQ(ReasonOf(refused.status()), Reason::kTransport) << refused.status();
  net.net->SetAddress("fake0", {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 7});
  Notice(&world, 2);
  Notice(&world, 4);
  ExpectRoomLands(&world, world.Connect());
}

TEST(VerbsEvents, UseNoDeviceThatHasFailedAndServeOverTheOther) {
  Net net;
  net.net->AddDevice({.name = "fake1", .port = {}});
  World world(net.candidate());
  const ChannelPair channel = world.Connect();
  net.net->Raise("fake0", IBV_EVENT_DEVICE_FATAL);
  Notice(&world);
  ASSERT_TRUE(world.Drive([&] { return world.source.recorder.is_down(channel.source); }));
  const std::string cause(world.source.recorder.down[channel.source].message());
  EXPECT_NE(cause.find("fake0/1: the device has failed"), std::string::npos) << cause;
  ExpectRoomLands(&world, world.Connect());
}

TEST(VerbsEvents, StartOverTheOtherRailWhenADeviceDoesNotOpenAndSayWhy) {
  Net net;
  net.net->AddDevice({.name = "fake1", .port = {}, .broken = true});
  World world(net.candidate());
  const auto& rails = dynamic_cast<const VerbsTransport&>(*world.source.transport).rails();
  ASSERT_EQ(rails.all().size(), 1u);
  EXPECT_EQ(rails.selection().rails.size(), 1u);
  std::string said;
  for (const std::string& line : rails.selection().candidates) said += line + "\n";
  EXPECT_NE(said.find("left out: verbs fake1/1: the device cannot be opened"), std::string::npos)
      << said;
  EXPECT_EQ(said.find("fake1/1: taken"), std::string::npos) << said;
  ExpectRoomLands(&world, world.Connect());
}

TEST(VerbsEvents, StartNotAtAllWhenNoDeviceOpensAndListThem) {
  FakeNet net;
  for (const char* name : {"fake0", "fake1"}) {
    net.AddDevice({.name = name, .port = {}, .broken = true});
  }
  const auto refused = VerbsTransport::Create(net.NewProvider(), VerbsOptions());
  EXPECT_EQ(ReasonOf(refused.status()), Reason::kNoTransport) << refused.status();
  for (const char* name : {"fake0/1", "fake1/1"}) {
    EXPECT_NE(refused.status().message().find(name), absl::string_view::npos) << refused.status();
  }
  EXPECT_EQ(net.objects(), 0);
}

TEST(VerbsEvents, TakeNewPoolsAfterADeviceHasFailedAndServeThemOverTheOther) {
  // The one that other pools were registered on first, too: it finds out how pages are pinned.
  for (const char* failed : {"fake0", "fake1"}) {
    Net net;
    net.net->AddDevice({.name = "fake1", .port = {}});
    World world(net.candidate());
    net.net->Raise(failed, IBV_EVENT_DEVICE_FATAL);
    Notice(&world);
    // Another rank attaches on either side.
    for (Node* node : {&world.source, &world.target}) {
      const LocalRegion region = node->pool.region();
      auto exported = node->transport->ExportMemory({&region, 1});
      ASSERT_TRUE(exported.ok()) << failed << ": " << exported.status();
      if (node == &world.source) continue;
      world.remote = *world.source.transport->ImportMemory(World::kTarget, exported->key);
    }
    ExpectRoomLands(&world, world.Connect());
  }
}

TEST(VerbsEvents, RefuseAPoolWhenEveryDeviceHasFailedAndNameThem) {
  Net net;
  World world(net.candidate());
  net.net->Raise("fake0", IBV_EVENT_DEVICE_FATAL);
  Notice(&world);
  const LocalRegion region = world.target.pool.region();
  const auto refused = world.target.transport->ExportMemory({&region, 1});
  EXPECT_EQ(ReasonOf(refused.status()), Reason::kNoTransport) << refused.status();
  EXPECT_NE(refused.status().message().find("fake0/1"), absl::string_view::npos)
      << refused.status();
}

TEST(VerbsEvents, AcknowledgeEveryEventAndMindThoseOfNoConsequence) {
  Net net;
  {
    World world(net.candidate());
    const ChannelPair channel = world.Connect();
    for (ibv_event_type type :
         {IBV_EVENT_COMM_EST, IBV_EVENT_SQ_DRAINED, IBV_EVENT_PATH_MIG, IBV_EVENT_SRQ_ERR,
          IBV_EVENT_QP_LAST_WQE_REACHED, IBV_EVENT_SM_CHANGE, IBV_EVENT_PKEY_CHANGE,
          IBV_EVENT_CLIENT_REREGISTER, IBV_EVENT_GID_CHANGE, IBV_EVENT_LID_CHANGE}) {
      net.net->Raise("fake0", type);
    }
    world.Settle();
    EXPECT_FALSE(world.source.recorder.is_down(channel.source));
    ExpectRoomLands(&world, channel);
  }
  // An event that was taken and not acknowledged is an object that is left.
  EXPECT_EQ(net.net->objects(), 0);
}

}  // namespace
}  // namespace baton::transport::verbs

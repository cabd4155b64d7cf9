// What a wrong or hostile peer sends is refused; its window may break, its channel may end, but no
// byte lands outside the window's pages and nobody else notices.
#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "common/crc32c.h"
#include "common/reason.h"
#include "gtest/gtest.h"
#include "transfer_agent/transport/conformance/world.h"
#include "transfer_agent/transport/tcp/factory.h"
#include "transfer_agent/transport/tcp/raw_source.h"

namespace baton::transport::tcp {
namespace {

Candidate Tcp() {
  return {.name = "tcp",
          .create = [](bool checksums) { return CreateTcpTransport({.checksums = checksums}); }};
}

class TcpAdversary : public testing::Test {
 protected:
  TcpAdversary() : world_(Tcp()), room_(world_.NewRoom(32)) {
    CHECK(world_.target.transport->OpenWindow(world_.WindowOf(room_)).ok());
  }

  uint64_t RoomSize() { return planner::RoomBytes(world_.plan, room_.tokens); }
  // Until the window breaks; the cause's text.
  std::string BreakCause() {
    const Recorder::WindowKey key{World::kSource, room_.offer};
    if (!world_.DriveOne(&world_.target,
                         [&] { return world_.target.recorder.broken.contains(key); })) {
      return "not broken";
    }
    return world_.target.recorder.broken[key].ToString();
  }
  std::string DownCause(const RawSource& source) {
    if (!world_.DriveOne(&world_.target,
                         [&] { return world_.target.recorder.is_down(source.channel); })) {
      return "not down";
    }
    return world_.target.recorder.down[source.channel].ToString();
  }
  bool NothingElseTouched() { return world_.target.pool.FirstTouched(room_.target_pages) == -1; }
  // A well-behaved peer still gets through.
  bool OthersAreServed() {
    const ChannelPair channel = world_.Connect();
    const Room& other = world_.NewRoom(100);
    CHECK(world_.target.transport->OpenWindow(world_.WindowOf(other)).ok());
    world_.Send(channel.source, other);
    return world_.Drive([&] { return world_.HasPart(other); }) && world_.FirstMismatch(other) == -1;
  }

  World world_;
  Room& room_;
};

TEST_F(TcpAdversary, EndsAChannelThatSendsWhatIsNoFrame) {
  RawSource source(&world_);
  source.SendBytes(std::vector<std::byte>(200, std::byte{0x41}));
  EXPECT_TRUE(absl::StrContains(DownCause(source), "magic"));
  EXPECT_EQ(world_.target.pool.FirstTouched({}), -1);
  EXPECT_TRUE(OthersAreServed());
}

TEST_F(TcpAdversary, EndsAChannelThatSendsFramesOfAnotherTransport) {
  RawSource source(&world_);
  Frame frame = RoomFrame(room_, 0, 100);
  frame.type = FrameType::kRuns;
  frame.count = 1;
  source.SendFrame(frame);
  EXPECT_TRUE(absl::StrContains(DownCause(source), "type"));
}

TEST_F(TcpAdversary, BreaksTheWindowForBytesPastTheChunk) {
  RawSource source(&world_);
  const uint32_t length = RoomSize() + 1;
  source.SendFrame(RoomFrame(room_, 0, length));
  source.SendBytes(std::vector<std::byte>(length));
  EXPECT_TRUE(absl::StrContains(BreakCause(), "run past"));
  EXPECT_EQ(world_.target.pool.FirstTouched({}), -1);
  EXPECT_TRUE(OthersAreServed());
}

TEST_F(TcpAdversary, BreaksTheWindowForAFrameThatSkipsOrRepeatsBytes) {
  RawSource source(&world_);
  source.SendFrame(RoomFrame(room_, 0, 100));
  source.SendBytes(std::vector<std::byte>(100));
  source.SendFrame(RoomFrame(room_, 300, 100));
  source.SendBytes(std::vector<std::byte>(100));
  EXPECT_TRUE(absl::StrContains(BreakCause(), "expected offset 100"));
  EXPECT_TRUE(NothingElseTouched());
}

TEST_F(TcpAdversary, BreaksTheWindowForAChunkBegunBeforeTheLastIsComplete) {
  RawSource source(&world_);
  for (int i = 0; i < 2; ++i) {
    source.SendFrame(RoomFrame(room_, 0, 100));
    source.SendBytes(std::vector<std::byte>(100));
  }
  EXPECT_TRUE(absl::StrContains(BreakCause(), "before the one before it is complete"));
}

TEST_F(TcpAdversary, BreaksTheWindowForAPartThatIsClosedTooEarlyOrWithAnotherSize) {
  RawSource source(&world_);
  source.SendFrame(RoomFrame(room_, 0, 100));
  source.SendBytes(std::vector<std::byte>(100));
  source.SendFrame(
      {.type = FrameType::kPart, .offer = room_.offer, .tokens = {}, .chunk = {}, .offset = 100});
  EXPECT_TRUE(absl::StrContains(BreakCause(), "ends inside a chunk"));
}

TEST_F(TcpAdversary, BreaksTheWindowForATotalThatDiffersFromWhatCame) {
  RawSource source(&world_);
  source.SendFrame(
      {.type = FrameType::kPart, .offer = room_.offer, .tokens = {}, .chunk = {}, .offset = 100});
  EXPECT_TRUE(absl::StrContains(BreakCause(), "here are 0"));
  EXPECT_FALSE(world_.HasPart(room_));
}

TEST_F(TcpAdversary, BreaksTheWindowForAPartThatComesOverTwoChannels) {
  RawSource one(&world_), two(&world_);
  for (RawSource* source : {&one, &two}) {
    source->SendFrame(RoomFrame(room_, 0, 100));
    source->SendBytes(std::vector<std::byte>(100));
    if (source == &one) {
      ASSERT_TRUE(world_.DriveOne(
          &world_.target, [&] { return world_.target.transport->counters().bytes_landed == 100; }));
    }
  }
  EXPECT_TRUE(absl::StrContains(BreakCause(), "two channels"));
}

TEST_F(TcpAdversary, BreaksTheWindowForLayersAndTokensThatHaveNoBytes) {
  RawSource source(&world_);
  Frame frame = RoomFrame(room_, 0, 100);
  frame.chunk.layer_begin = 900'000;
  source.SendFrame(frame);
  source.SendBytes(std::vector<std::byte>(100));
  EXPECT_TRUE(absl::StrContains(BreakCause(), "run past"));
  EXPECT_EQ(world_.target.pool.FirstTouched({}), -1);
}

TEST_F(TcpAdversary, NamesThePlaceOfAWrongChecksum) {
  RawSource source(&world_);
  Frame frame = RoomFrame(room_, 0, 4096);
  frame.has_crc = true;
  frame.crc = 1;
  source.SendFrame(frame);
  source.SendBytes(std::vector<std::byte>(4096));
  source.SendFrame(RoomFrame(room_, 4096, 4096));
  const std::string cause = BreakCause();
  EXPECT_TRUE(absl::StrContains(cause, "checksum of part 0"));
  EXPECT_TRUE(absl::StrContains(cause, "bytes [0, 4096)"));
  EXPECT_TRUE(absl::StrContains(cause, ReasonName(Reason::kCorrupt)));
}

TEST_F(TcpAdversary, CallsAChecksumThatACancelSpoiltNoCorruption) {
  RawSource source(&world_);
  Frame frame = RoomFrame(room_, 0, 4096);
  frame.has_crc = true;
  frame.crc = 1;
  source.SendFrame(frame);
  source.SendBytes(std::vector<std::byte>(4096));
  source.SendFrame({.type = FrameType::kCancel, .offer = room_.offer, .tokens = {}, .chunk = {}});
  const std::string cause = BreakCause();
  EXPECT_TRUE(absl::StrContains(cause, "cancelled")) << cause;
}

TEST_F(TcpAdversary, BreaksAWindowThatWantsChecksumsWhenNoneCome) {
  const Room& room = world_.NewRoom(16);
  ASSERT_TRUE(world_.target.transport->OpenWindow(world_.WindowOf(room, /*checksums=*/true)).ok());
  RawSource source(&world_);
  source.SendFrame(RoomFrame(room, 0, 100));
  EXPECT_TRUE(world_.DriveOne(&world_.target, [&] {
    return world_.target.recorder.broken.contains({World::kSource, room.offer});
  }));
}

TEST_F(TcpAdversary, LetsARepeatedCloseOfAPartChangeNothing) {
  RawSource source(&world_);
  std::vector<std::byte> bytes(RoomSize());
  source.SendFrame(RoomFrame(room_, 0, bytes.size()));
  source.SendBytes(bytes);
  for (int i = 0; i < 3; ++i) {
    source.SendFrame({.type = FrameType::kPart,
                      .offer = room_.offer,
                      .tokens = {},
                      .chunk = {},
                      .offset = bytes.size()});
  }
  ASSERT_TRUE(world_.DriveOne(&world_.target, [&] { return world_.HasPart(room_); }));
  EXPECT_TRUE(world_.DriveOne(
      &world_.target, [&] { return world_.target.transport->counters().stale_dropped == 2; }));
  EXPECT_TRUE(world_.target.recorder.broken.empty());
}

TEST_F(TcpAdversary, SurvivesRandomBytesAndDamagedStreamsOnManyChannels) {
  std::mt19937_64 random(2026);
  for (int round = 0; round < 300; ++round) {
    RawSource source(&world_);
    std::vector<std::byte> bytes;
    const auto append = [&bytes](const Frame& frame, size_t payload) {
      FrameBuffer header;
      EncodeFrame(frame, &header);
      bytes.insert(bytes.end(), header.begin(), header.end());
      bytes.insert(bytes.end(), payload, std::byte{0xee});
    };
    for (uint64_t offset = 0; offset < RoomSize(); offset += 4096) {
      append(RoomFrame(room_, offset, 4096), 4096);
    }
    append({.type = FrameType::kPart,
            .offer = room_.offer,
            .tokens = {},
            .chunk = {},
            .offset = RoomSize()},
           0);
    for (uint64_t n = random() % 20 + 1; n > 0; --n) {
      // Most of the damage goes to headers.
      const uint64_t at = random() % 2 ? random() % bytes.size()
                                       : random() % 5 * (4096 + kFrameBytes) + random() % 96;
      if (at < bytes.size()) bytes[at] = static_cast<std::byte>(random());
    }
    source.SendBytes(bytes);
    for (int i = 0; i < 10; ++i) world_.target.recorder.Poll(world_.target.transport.get());
    ASSERT_TRUE(NothingElseTouched()) << "seed 2026, round " << round;
    world_.target.transport->Close(source.channel);
    // A fresh window for the next round.
    world_.target.transport->Fence(World::kSource, room_.offer);
    ASSERT_TRUE(world_.DriveOne(&world_.target, [&] { return world_.IsFenced(room_); }));
    world_.target.recorder.broken.clear();
    world_.target.recorder.parts.clear();
    world_.target.recorder.fenced.clear();
    ASSERT_TRUE(world_.target.transport->OpenWindow(world_.WindowOf(room_)).ok());
  }
  EXPECT_TRUE(OthersAreServed());
}

TEST_F(TcpAdversary, KeepsFewStrangersAndStillServesThoseItKnows) {
  ChannelId channel;
  const v1::StreamAccept accept =
      AcceptRaw(world_.target.transport.get(), World::kSource, &channel);
  std::vector<UniqueFd> strangers;
  for (int i = 0; i < 200; ++i) {
    strangers.push_back(Dial(accept));
    world_.target.recorder.Poll(world_.target.transport.get());
  }
  EXPECT_TRUE(OthersAreServed());
  // The oldest were shown out.
  std::byte byte;
  EXPECT_EQ(recv(strangers[0].get(), &byte, 1, 0), 0);
  EXPECT_EQ(recv(strangers[199].get(), &byte, 1, MSG_DONTWAIT), -1);
}

TEST_F(TcpAdversary, ShowsOutAStrangerWithAWrongTokenOrNoneInTime) {
  ChannelId channel;
  const v1::StreamAccept accept =
      AcceptRaw(world_.target.transport.get(), World::kSource, &channel);
  UniqueFd wrong = Dial(accept);
  UniqueFd silent = Dial(accept);
  FrameBuffer hello;
  EncodeHello(Token{}, &hello);
  ASSERT_EQ(send(wrong.get(), hello.data(), hello.size(), 0), 96);
  for (int i = 0; i < 10; ++i) world_.target.recorder.Poll(world_.target.transport.get());
  std::byte byte;
  EXPECT_EQ(recv(wrong.get(), &byte, 1, 0), 0);
  EXPECT_EQ(recv(silent.get(), &byte, 1, MSG_DONTWAIT), -1);
  // A minute later, by the clock that Poll is given.
  world_.target.recorder.Poll(world_.target.transport.get(), std::chrono::minutes(1));
  EXPECT_EQ(recv(silent.get(), &byte, 1, 0), 0);
  EXPECT_TRUE(world_.target.recorder.is_down(channel)) << "nobody came with its token";
  EXPECT_EQ(ReasonOf(world_.target.recorder.down[channel]), Reason::kDeadline);
}

TEST(TcpOptions, NameTheAddressThatCannotBeBound) {
  auto name = CreateTcpTransport({.bind_host = "localhost"});
  ASSERT_FALSE(name.ok());
  EXPECT_EQ(ReasonOf(name.status()), Reason::kConfig);
  EXPECT_TRUE(absl::StrContains(name.status().message(), "\"localhost\" is not a numeric"));
  auto foreign = CreateTcpTransport({.bind_host = "192.0.2.1"});
  ASSERT_FALSE(foreign.ok());
  EXPECT_TRUE(absl::StrContains(foreign.status().message(), "192.0.2.1"));
}

}  // namespace
}  // namespace baton::transport::tcp

// What a wrong or hostile source can say over a shm channel: nothing it did not lend is read, and
// nothing outside the window's pages is written.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "baton/v1/transport.pb.h"
#include "common/log.h"
#include "common/reason.h"
#include "gtest/gtest.h"
#include "transfer_agent/transport/conformance/world.h"
#include "transfer_agent/transport/shm/factory.h"
#include "transfer_agent/transport/shm/message.h"

namespace baton::transport::shm {
namespace {

Candidate Shm() {
  return {.name = "shm",
          .create = [](bool checksums) { return CreateShmTransport({.checksums = checksums}); },
          .copies = 1};
}

class ShmAdversary : public testing::Test {
 protected:
  ShmAdversary() : world_(Shm()), room_(world_.NewRoom(32)) {
    CHECK(world_.target.transport->OpenWindow(world_.WindowOf(room_)).ok());
    Connect();
  }

  void Connect() {
    auto opened = world_.source.transport->Open(World::kTarget);
    CHECK(opened.ok());
    auto accepted = world_.target.transport->Accept(World::kSource, opened->data);
    CHECK(accepted.ok());
    channel_ = accepted->id;
    v1::StreamAccept accept;
    CHECK(accept.ParseFromString(accepted->data));
    fd_.Reset(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string name = accept.host().substr(1);
    std::memcpy(address.sun_path + 1, name.data(), name.size());
    CHECK_EQ(connect(fd_.get(), reinterpret_cast<sockaddr*>(&address),
                     offsetof(sockaddr_un, sun_path) + 1 + name.size()),
             0);
    Token token;
    std::memcpy(token.data(), accept.token().data(), token.size());
    FrameBuffer hello;
    EncodeHello(token, &hello);
    CHECK_EQ(send(fd_.get(), hello.data(), hello.size(), 0), 96);
    CHECK(world_.DriveOne(&world_.target, [&] { return world_.target.recorder.is_up(channel_); }));
  }

  void Lend(uint64_t size, int fd, uint32_t memory = 1) {
    const Frame frame{.type = FrameType::kMemory,
                      .offer = {},
                      .tokens = {},
                      .chunk = {},
                      .count = 1,
                      .memory = memory};
    CHECK(*Send(fd_.get(), frame, {reinterpret_cast<const std::byte*>(&size), 8}, {&fd, 1}));
  }
  void LendPool() { Lend(world_.source.pool.size(), world_.source.pool.region().fd); }
  void SendRuns(const std::vector<RunRecord>& runs, uint32_t length, uint32_t memory = 1,
                uint64_t serial = 1) {
    const Frame frame{.type = FrameType::kRuns,
                      .offer = room_.offer,
                      .tokens = room_.tokens,
                      .chunk = {.token_begin = 0, .token_end = 32, .last = true},
                      .offset = 0,
                      .length = length,
                      .count = static_cast<uint32_t>(runs.size()),
                      .memory = memory,
                      .serial = serial};
    CHECK(*Send(fd_.get(), frame,
                {reinterpret_cast<const std::byte*>(runs.data()), runs.size() * sizeof(RunRecord)},
                {}));
  }
  std::string BreakCause() {
    const Recorder::WindowKey key{World::kSource, room_.offer};
    if (!world_.DriveOne(&world_.target,
                         [&] { return world_.target.recorder.broken.contains(key); })) {
      return "not broken";
    }
    EXPECT_FALSE(world_.target.recorder.is_down(channel_));
    return world_.target.recorder.broken[key].ToString();
  }
  std::string DownCause() {
    if (!world_.DriveOne(&world_.target,
                         [&] { return world_.target.recorder.is_down(channel_); })) {
      return "not down";
    }
    return world_.target.recorder.down[channel_].ToString();
  }

  World world_;
  Room& room_;
  ChannelId channel_;
  UniqueFd fd_;
};

TEST_F(ShmAdversary, RefusesMemoryThatCouldShrink) {
  UniqueFd unsealed(memfd_create("unsealed", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  ASSERT_EQ(ftruncate(unsealed.get(), 4096), 0);
  Lend(4096, unsealed.get());
  EXPECT_TRUE(absl::StrContains(DownCause(), ReasonName(Reason::kBadRegion)));
}

TEST_F(ShmAdversary, RefusesMemoryThatIsSmallerThanItSays) {
  Lend(world_.source.pool.size() + 4096, world_.source.pool.region().fd);
  EXPECT_TRUE(absl::StrContains(DownCause(), ReasonName(Reason::kBadRegion)));
}

TEST_F(ShmAdversary, RefusesANumberOfMemoryThatIsInUse) {
  LendPool();
  LendPool();
  EXPECT_TRUE(absl::StrContains(DownCause(), "lent already"));
}

TEST_F(ShmAdversary, BreaksTheWindowForRunsPastTheLentMemory) {
  LendPool();
  const uint64_t size = world_.source.pool.size();
  SendRuns({{.offset = size - 50, .length = 100}}, 100);
  EXPECT_TRUE(absl::StrContains(BreakCause(), "100 bytes at"));
  EXPECT_EQ(world_.target.pool.FirstTouched({}), -1);
}

TEST_F(ShmAdversary, BelievesNothingCopiedFromASourceThatHasEnded) {
  LendPool();
  SendRuns({{.offset = 0, .length = 100}}, 100);
  const Frame part{.type = FrameType::kPart, .offer = room_.offer, .tokens = {}, .chunk = {}};
  CHECK(*Send(fd_.get(), part, {}, {}));
  // With the welcome unread, the close would be a reset that takes the batch with it.
  FrameBuffer welcome;
  CHECK_EQ(recv(fd_.get(), welcome.data(), welcome.size(), 0), 96);
  // Its engine may write to the pages from here on.
  fd_.Reset();
  const std::string cause = DownCause();
  EXPECT_TRUE(absl::StrContains(cause, "while its pages were being copied")) << cause;
  EXPECT_TRUE(world_.target.recorder.broken.empty());
  EXPECT_FALSE(world_.HasPart(room_));
}

TEST_F(ShmAdversary, BreaksTheWindowForRunsThatWrapAround) {
  LendPool();
  SendRuns({{.offset = UINT64_MAX - 10, .length = 100}}, 100);
  EXPECT_TRUE(absl::StrContains(BreakCause(), "which has"));
}

TEST_F(ShmAdversary, BreaksTheWindowForRunsThatDoNotAddUp) {
  LendPool();
  SendRuns({{.offset = 0, .length = 60}, {.offset = 64, .length = 60}}, 100);
  EXPECT_TRUE(absl::StrContains(BreakCause(), "do not make up 100"));
  EXPECT_EQ(world_.target.pool.FirstTouched({}), -1);
}

TEST_F(ShmAdversary, BreaksTheWindowForMemoryOrRegionsThatWereNotLent) {
  LendPool();
  SendRuns({{.offset = 0, .length = 100, .region = 3}}, 100);
  EXPECT_TRUE(absl::StrContains(BreakCause(), "region 3 was not lent"));
}

TEST_F(ShmAdversary, BreaksTheWindowForBytesPastTheRoom) {
  LendPool();
  const uint32_t length = planner::RoomBytes(world_.plan, room_.tokens) + 1;
  SendRuns({{.offset = 0, .length = length}}, length);
  EXPECT_TRUE(absl::StrContains(BreakCause(), "run past"));
  EXPECT_EQ(world_.target.pool.FirstTouched({}), -1);
}

TEST_F(ShmAdversary, EndsAChannelThatSkipsABatchOrSendsBytes) {
  LendPool();
  SendRuns({{.offset = 0, .length = 100}}, 100, 1, /*serial=*/7);
  EXPECT_TRUE(absl::StrContains(DownCause(), "batch 7"));
}

TEST_F(ShmAdversary, EndsAChannelThatSendsAPacketThatIsNoFrame) {
  ASSERT_EQ(send(fd_.get(), "hello", 5, 0), 5);
  EXPECT_TRUE(absl::StrContains(DownCause(), "a packet of 5 bytes"));
}

TEST(ShmOptions, NameTheFolderThatCannotBeUsed) {
  auto created = CreateShmTransport({.socket_folder = "/nonexistent/folder"});
  ASSERT_FALSE(created.ok());
  EXPECT_TRUE(absl::StrContains(created.status().message(), "/nonexistent/folder"));
}

TEST(ShmMemory, IsRefusedAtExportWhenItCouldShrink) {
  auto transport = CreateShmTransport({});
  ASSERT_TRUE(transport.ok());
  UniqueFd fd(memfd_create("unsealed", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  ASSERT_EQ(ftruncate(fd.get(), 4096), 0);
  std::byte byte;
  const LocalRegion region{.fd = fd.get(), .base = &byte, .size = 4096};
  auto exported = (*transport)->ExportMemory({&region, 1});
  ASSERT_FALSE(exported.ok());
  EXPECT_EQ(ReasonOf(exported.status()), Reason::kBadRegion);
}

TEST(ShmHost, RefusesASourceOfAnotherKernel) {
  auto transport = CreateShmTransport({});
  ASSERT_TRUE(transport.ok());
  v1::StreamOpen open;
  open.set_frame_version(kFrameVersion);
  open.set_host_key("another-boot");
  auto accepted = (*transport)->Accept(PeerId(1), open.SerializeAsString());
  ASSERT_FALSE(accepted.ok());
  EXPECT_EQ(ReasonOf(accepted.status()), Reason::kNoTransport);
}

}  // namespace
}  // namespace baton::transport::shm

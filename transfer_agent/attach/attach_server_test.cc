// The life of attachments, against the real server.
#include "transfer_agent/attach/attach_server.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "client/engine/engine_client.h"
#include "common/shm_abi/ring_layout.h"
#include "transfer_agent/attach/testing/raw_engine.h"

namespace baton::attach {
namespace {

using ::testing::HasSubstr;

using Server = RawEngine;

TEST_F(Server, TakesARankInAndGivesFourDescriptors) {
  Start();
  UniqueFd pool = Pool();
  ASSERT_TRUE(Offer(pool.get()).ok());
  EXPECT_EQ(answer_fds_.size(), shm_abi::kReplyFds);
  EXPECT_EQ(agent_->attached(), 1);
}

TEST_F(Server, EndsAHandshakeThatDoesNotFinish) {
  AttachOptions options = Options();
  options.handshake_timeout = std::chrono::milliseconds(30);
  Start(options);
  Say(Request());
  absl::Status cause = Answer();
  EXPECT_EQ(ReasonOf(cause), Reason::kDeadline);
  EXPECT_EQ(RankOf(cause), (RankRef{"prefill-a", {}}));
}

TEST_F(Server, BoundsTheEnginesThatAreAttaching) {
  AttachOptions options = Options();
  options.half_open_max = 2;
  Start(options);
  UniqueFd second = Connect();
  UniqueFd third = Connect();
  EXPECT_EQ(ReasonOf(Answer(third.get())), Reason::kFull);
  second.Reset();
  UniqueFd pool = Pool();
  EXPECT_TRUE(Offer(pool.get()).ok());
}

TEST_F(Server, BoundsItsRanks) {
  AttachOptions options = Options();
  options.ranks_max = 1;
  Start(options);
  UniqueFd pool = Pool();
  ASSERT_TRUE(Offer(pool.get()).ok());
  UniqueFd second = Connect();
  EXPECT_EQ(ReasonOf(Answer(second.get())), Reason::kTooLarge);
}

TEST_F(Server, RefusesAsTheAgentSays) {
  Start();
  UniqueFd pool = Pool();
  ASSERT_TRUE(Offer(pool.get()).ok());
  UniqueFd first = std::move(connection_);
  connection_ = Connect();
  absl::Status twice = Offer(pool.get());
  EXPECT_EQ(ReasonOf(twice), Reason::kNotReady);
  EXPECT_THAT(twice.message(), HasSubstr("former attachment"));
  EXPECT_EQ(agent_->attached(), 1);
  EXPECT_EQ(agent_->detached(), 0);
  // Its end makes room for the next.
  first.Reset();
  ASSERT_TRUE(Eventually([&] { return agent_->detached() == 1; }));
  connection_ = Connect();
  EXPECT_TRUE(Offer(pool.get()).ok());
}

TEST_F(Server, DetachesAnEngineThatWritesNonsenseAndNoOther) {
  Start();
  UniqueFd pool = Pool();
  ASSERT_TRUE(Offer(pool.get()).ok());
  EngineOptions options;
  options.agent_socket = folder_.socket();
  options.server = "prefill-b";
  options.launch_id = "1";
  options.spec = SmallSpec();
  options.layout = SmallLayout();
  options.regions = {{"kv", pool.get(), kSmallPoolBytes, false}};
  auto bystander = EngineClient::Attach(options);
  ASSERT_TRUE(bystander.ok()) << bystander.status();
  auto ring =
      MapShared(answer_fds_[0].get(), shm_abi::kRingDataOffset + (64 << 10), Access::kReadWrite);
  ASSERT_TRUE(ring.ok());
  reinterpret_cast<shm_abi::RingHeader*>(ring->base())->tail.store(12345);
  ASSERT_TRUE(Eventually([&] { return agent_->detached() == 1; }));
  auto room = (*bystander)->OpenSend({.room = {1}});
  ASSERT_TRUE(room.ok());
  EXPECT_TRUE(Eventually([&] { return (*bystander)->Poll(*room).phase == RoomPhase::kOffered; }));
  EXPECT_TRUE((*bystander)->attached());
}

TEST_F(Server, DetachesAnEngineThatGoesOnTalking) {
  Start();
  UniqueFd pool = Pool();
  ASSERT_TRUE(Offer(pool.get()).ok());
  Say(Request());
  EXPECT_TRUE(Eventually([&] { return agent_->detached() == 1; }));
}

TEST_F(Server, EndsTheConnectionWhenTheRankIsDestroyed) {
  Start();
  UniqueFd pool = Pool();
  ASSERT_TRUE(Offer(pool.get()).ok());
  agent_->DropRanks();
  EXPECT_TRUE(Eventually([&] {
    auto packet = ReceivePacket(connection_.get(), 100, 0);
    return packet.ok() && packet->has_value() && (*packet)->end;
  }));
}

TEST_F(Server, GivesMemoryThatTheEngineCanNeitherShrinkNorMisuse) {
  Start();
  UniqueFd pool = Pool();
  ASSERT_TRUE(Offer(pool.get()).ok());
  int ring = answer_fds_[0].get(), table = answer_fds_[1].get();
  EXPECT_NE(ftruncate(ring, 4096), 0);
  EXPECT_NE(ftruncate(table, 0), 0);
  EXPECT_FALSE(MapShared(table, 4096, Access::kReadWrite).ok());
  EXPECT_NE(fcntl(ring, F_ADD_SEALS, F_SEAL_WRITE), 0);
  UniqueFd reopened(open(("/proc/self/fd/" + std::to_string(table)).c_str(), O_RDWR));
  EXPECT_FALSE(reopened && MapShared(reopened.get(), 4096, Access::kReadWrite).ok());
}

TEST_F(Server, TellsEnginesThatItHasNoDescriptorsLeft) {
  Start();
  UniqueFd pool = Pool();
  UniqueFd next(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  rlimit before;
  getrlimit(RLIMIT_NOFILE, &before);
  // As many as are open now, and not one more.
  rlimit now = {static_cast<rlim_t>(dup(0)), before.rlim_max};
  close(static_cast<int>(now.rlim_cur));
  auto probe = std::string(folder_.socket());
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  memcpy(address.sun_path, probe.data(), probe.size());
  setrlimit(RLIMIT_NOFILE, &now);
  ASSERT_EQ(connect(next.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  absl::Status cause = Answer(next.get());
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(ReasonOf(cause), Reason::kSystem) << cause;
  EXPECT_THAT(cause.message(), HasSubstr("RLIMIT_NOFILE"));
  ExpectStillServes();
}

TEST_F(Server, NamesTheSocketThatItCannotBind) {
  Start();
  TestAgent second(Options());
  absl::Status started = second.Start();
  EXPECT_EQ(ReasonOf(started), Reason::kConfig);
  EXPECT_THAT(started.message(), HasSubstr(folder_.socket()));
}

TEST_F(Server, SendsNoEventAfterStop) {
  Start();
  UniqueFd pool = Pool();
  ASSERT_TRUE(Offer(pool.get()).ok());
  agent_->Stop();
  connection_.Reset();
  EXPECT_EQ(agent_->detached(), 0);
  EXPECT_NE(access(folder_.socket().c_str(), F_OK), 0);
}

}  // namespace
}  // namespace baton::attach

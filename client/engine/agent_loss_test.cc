// Real processes: the agent killed, stopped and restarted under a living engine, and the engine
// killed under a living agent. This binary is the test, the agent and the engine: see main.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/engine/engine_client.h"
#include "client/engine/testing/small_engine.h"
#include "common/log.h"
#include "common/memfd.h"
#include "common/reason.h"
#include "tests/support/eventually.h"
#include "transfer_agent/attach/testing/small_rank.h"
#include "transfer_agent/attach/testing/test_agent.h"

extern char** environ;

namespace baton {
namespace {

using attach::SocketFolder;
using attach::TestAgent;
using ::testing::HasSubstr;

// This program once more, as the agent or the engine. Killed with its owner.
class Child {
 public:
  Child(std::string role, std::string socket, uint64_t epoch) {
    std::string number = std::to_string(epoch);
    char* args[] = {const_cast<char*>("agent_loss_test"), role.data(), socket.data(), number.data(),
                    nullptr};
    EXPECT_EQ(posix_spawn(&pid_, "/proc/self/exe", nullptr, nullptr, args, environ), 0);
  }
  ~Child() { Kill(); }
  void Signal(int signal) { kill(pid_, signal); }
  void Kill() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

 private:
  pid_t pid_ = 0;
};

EngineOptions RankOptions(const std::string& socket, int pool) {
  EngineOptions options = SmallEngine(socket, Role::kPrefill, pool);
  options.slots = 16;
  options.attach_timeout = std::chrono::seconds(60);
  return options;
}

class AgentLoss : public ::testing::Test {
 protected:
  void StartAgent(uint64_t epoch) { agent_.emplace("agent", folder_.socket(), epoch); }
  void AttachEngine() {
    auto engine = EngineClient::Attach(RankOptions(folder_.socket(), pool_.get()));
    ASSERT_TRUE(engine.ok()) << engine.status();
    engine_ = *std::move(engine);
  }
  RoomHandle Offered(uint64_t id) {
    auto room = engine_->OpenSend({.room = {id}});
    EXPECT_TRUE(room.ok()) << room.status();
    if (!room.ok()) return {};
    EXPECT_TRUE(Reaches(*room, RoomPhase::kOffered));
    return *room;
  }
  bool Reaches(RoomHandle room, RoomPhase phase) {
    return Eventually([&] { return engine_->Poll(room).phase == phase; });
  }
  void Finish(RoomHandle room) {
    Chunk last;
    last.is_last_chunk = true;
    last.token_end = 9;
    EXPECT_TRUE(engine_->Send(room, last).ok());
    EXPECT_TRUE(Reaches(room, RoomPhase::kDone));
  }

  SocketFolder folder_;
  UniqueFd pool_ = *CreateSealedMemfd("pool", attach::kSmallPoolBytes);
  std::optional<Child> agent_;
  std::unique_ptr<EngineClient> engine_;
};

TEST_F(AgentLoss, AKilledAgentLosesItsRoomsAndReleasesThem) {
  StartAgent(1);
  AttachEngine();
  RoomHandle open = Offered(1);
  RoomHandle done = Offered(2);
  Finish(done);
  agent_->Kill();
  ASSERT_TRUE(Reaches(open, RoomPhase::kAgentLost));
  ASSERT_TRUE(Eventually([&] { return engine_->Poll(open).released; }));
  EXPECT_EQ(ReasonOf(engine_->Cause(open)), Reason::kAgentLost);
  EXPECT_THAT(engine_->Cause(open).message(), HasSubstr("agent"));
  EXPECT_EQ(RankOf(engine_->Cause(open)), (RankRef{"prefill-a", {}}));
  EXPECT_FALSE(engine_->attached());
  EXPECT_EQ(ReasonOf(engine_->OpenSend({.room = {3}}).status()), Reason::kAgentLost);
  EXPECT_EQ(ReasonOf(engine_->Send(open, Chunk())), Reason::kAgentLost);
  // What had ended stays as it was.
  EXPECT_EQ(engine_->Poll(done).phase, RoomPhase::kDone);
  EXPECT_EQ(engine_->BytesMoved(done), 9u);
}

TEST_F(AgentLoss, AttachesToTheRestartedAgentAndGoesOn) {
  StartAgent(1);
  AttachEngine();
  RoomHandle lost = Offered(1);
  RoomHandle done = Offered(2);
  Finish(done);
  for (uint64_t epoch = 2; epoch < 5; ++epoch) {
    agent_->Kill();
    StartAgent(epoch);
    ASSERT_TRUE(
        Eventually([&] { return engine_->attached() && engine_->agent_epoch() == Epoch(epoch); }));
    // Old rooms keep their end across the new table; new ones work.
    EXPECT_EQ(engine_->Poll(lost).phase, RoomPhase::kAgentLost);
    EXPECT_TRUE(Eventually([&] { return engine_->Poll(lost).released; }));
    EXPECT_EQ(engine_->Poll(done).phase, RoomPhase::kDone);
    RoomHandle room = Offered(10 + epoch);
    Finish(room);
    engine_->Close(room);
  }
  engine_->Close(lost);
  engine_->Close(done);
  // No slot was lost on the way.
  for (uint64_t i = 0; i < 16; ++i) Offered(100 + i);
}

TEST_F(AgentLoss, AStoppedAgentReleasesNothingUntilItIsKilled) {
  StartAgent(1);
  AttachEngine();
  RoomHandle room = Offered(1);
  agent_->Signal(SIGSTOP);
  ASSERT_TRUE(Reaches(room, RoomPhase::kAgentLost));
  EXPECT_FALSE(engine_->attached());
  EXPECT_THAT(engine_->Cause(room).message(), HasSubstr("not released"));
  EXPECT_FALSE(
      Eventually([&] { return engine_->Poll(room).released; }, std::chrono::milliseconds(300)));
  agent_->Kill();
  EXPECT_TRUE(Eventually([&] { return engine_->Poll(room).released; }));
  EXPECT_EQ(engine_->Poll(room).phase, RoomPhase::kAgentLost);
}

TEST_F(AgentLoss, AStoppedAgentThatGoesOnEndsTheRoomsThatWereGivenUp) {
  StartAgent(1);
  AttachEngine();
  RoomHandle kept = Offered(1);
  RoomHandle closed = Offered(2);
  agent_->Signal(SIGSTOP);
  ASSERT_TRUE(Reaches(kept, RoomPhase::kAgentLost));
  ASSERT_TRUE(Reaches(closed, RoomPhase::kAgentLost));
  engine_->Close(closed);
  agent_->Signal(SIGCONT);
  // The same attachment: the agent was asked to abort, and says that it did.
  ASSERT_TRUE(Eventually([&] { return engine_->attached(); }));
  EXPECT_TRUE(Eventually([&] { return engine_->Poll(kept).released; }));
  EXPECT_EQ(engine_->Poll(kept).phase, RoomPhase::kAgentLost);
  EXPECT_EQ(engine_->agent_epoch(), Epoch(1));
  Finish(Offered(3));
}

TEST_F(AgentLoss, AKilledEngineIsDetached) {
  attach::AttachOptions options;
  options.socket_path = folder_.socket();
  options.epoch = Epoch(1);
  TestAgent agent(options);
  ASSERT_TRUE(agent.Start().ok());
  Child engine("engine", folder_.socket(), 0);
  ASSERT_TRUE(Eventually([&] { return agent.attached() == 1; }));
  engine.Kill();
  EXPECT_TRUE(Eventually([&] { return agent.detached() == 1; }));
  int ranks = 0;
  agent.WithRanks([&](attach::AttachedRank&) { ++ranks; });
  EXPECT_EQ(ranks, 0);
}

// --- an agent that lives, but ends the attachment

class AgentEnds : public AgentLoss {
 protected:
  AgentEnds() {
    attach::AttachOptions options;
    options.socket_path = folder_.socket();
    options.epoch = Epoch(1);
    own_.emplace(options);
    EXPECT_TRUE(own_->Start().ok());
    AttachEngine();
  }
  std::optional<TestAgent> own_;
};

TEST_F(AgentEnds, RoomsThatItHasEndedKeepTheirEnd) {
  RoomHandle failed = Offered(1);
  own_->WithRanks([&](attach::AttachedRank& rank) {
    rank.table->SetCause(failed.slot, Error(Reason::kEngineLost, "told to leave"));
    rank.table->Publish(failed.slot, {failed.generation, shm_abi::RoomState::kFailed, true});
  });
  own_->DropRanks();
  ASSERT_TRUE(Eventually([&] { return own_->attached() == 2; }));
  ASSERT_TRUE(Eventually([&] { return engine_->attached(); }));
  EXPECT_EQ(engine_->Poll(failed).phase, RoomPhase::kFailed);
  EXPECT_TRUE(engine_->Poll(failed).released);
  EXPECT_EQ(engine_->Cause(failed).message(), "told to leave");
}

TEST_F(AgentEnds, RoomsOfAnAttachmentAreReleasedOnceTheSameAgentTakesTheRankAgain) {
  RoomHandle room = Offered(1);
  own_->DropRanks();
  ASSERT_TRUE(Reaches(room, RoomPhase::kAgentLost));
  ASSERT_TRUE(Eventually([&] { return engine_->Poll(room).released; }));
  EXPECT_EQ(own_->attached(), 2);
  Finish(Offered(2));
}

TEST_F(AgentEnds, AnAgentThatLivesButServesNobodyReleasesNothing) {
  RoomHandle room = Offered(1);
  own_->Stop();
  ASSERT_TRUE(Reaches(room, RoomPhase::kAgentLost));
  EXPECT_FALSE(
      Eventually([&] { return engine_->Poll(room).released; }, std::chrono::milliseconds(300)));
}

int RunAgent(const std::string& socket, uint64_t epoch) {
  attach::AttachOptions options;
  options.socket_path = socket;
  options.epoch = Epoch(epoch);
  TestAgent agent(options);
  CHECK(agent.Start().ok());
  while (true) pause();
}

int RunEngine(const std::string& socket) {
  UniqueFd pool = *CreateSealedMemfd("pool", attach::kSmallPoolBytes);
  auto engine = EngineClient::Attach(RankOptions(socket, pool.get()));
  CHECK(engine.ok()) << engine.status();
  while (true) pause();
}

}  // namespace
}  // namespace baton

int main(int argc, char** argv) {
  std::string role = argc == 4 ? argv[1] : "";
  if (role == "agent") return baton::RunAgent(argv[2], std::stoull(argv[3]));
  if (role == "engine") return baton::RunEngine(argv[2]);
  ::testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}

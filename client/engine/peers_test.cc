// Looking at peer servers: the client's side, against the real attach server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/engine/engine_client.h"
#include "client/engine/testing/small_engine.h"
#include "common/memfd.h"
#include "common/reason.h"
#include "tests/support/eventually.h"
#include "transfer_agent/attach/testing/small_rank.h"
#include "transfer_agent/attach/testing/test_agent.h"

namespace baton {
namespace {

using attach::AttachedRank;
using attach::TestAgent;
using ::testing::HasSubstr;

class Peers : public ::testing::Test {
 protected:
  std::unique_ptr<TestAgent> MakeAgent(uint64_t epoch) {
    attach::AttachOptions options;
    options.socket_path = folder_.socket();
    options.epoch = Epoch(epoch);
    return std::make_unique<TestAgent>(options);
  }
  std::unique_ptr<EngineClient> Attach(uint32_t peers = 2) {
    EngineOptions options = SmallEngine(folder_.socket(), Role::kDecode, pool_.get());
    options.slots = 4;
    options.peers = peers;
    auto engine = EngineClient::Attach(options);
    EXPECT_TRUE(engine.ok()) << engine.status();
    return engine.ok() ? *std::move(engine) : nullptr;
  }
  static bool Becomes(const EngineClient& engine, PeerHandle peer, PeerPhase phase) {
    return Eventually([&] { return engine.LookAtPeer(peer).phase == phase; });
  }

  attach::SocketFolder folder_;
  UniqueFd pool_ = *CreateSealedMemfd("pool", attach::kSmallPoolBytes);
};

TEST_F(Peers, ShowWhatTheAgentAnswers) {
  auto agent = MakeAgent(1);
  agent->OnCommand([](AttachedRank& rank, const shm_abi::Command& command) {
    auto* watch = std::get_if<shm_abi::WatchPeer>(&command);
    if (watch == nullptr) return;
    EXPECT_EQ(watch->server, "10.0.0.1:8998");
    rank.table->PublishPeer(
        watch->peer.peer,
        {watch->peer.generation, shm_abi::PeerState::kNotReady, true, 4, Incarnation(9),
         "prefill-a",
         Error(Reason::kNotReady, "it is not registered", RankRef{"prefill-a", {3, 0, 0, 1}})});
  });
  ASSERT_TRUE(agent->Start().ok());
  auto engine = Attach();
  auto peer = engine->WatchPeer("10.0.0.1:8998");
  ASSERT_TRUE(peer.ok()) << peer.status();
  ASSERT_TRUE(Becomes(*engine, *peer, PeerPhase::kNotReady));
  const PeerStatus status = engine->LookAtPeer(*peer);
  EXPECT_TRUE(status.draining);
  EXPECT_EQ(status.dp_size, 4u);
  EXPECT_EQ(status.server, "prefill-a");
  EXPECT_EQ(status.incarnation, Incarnation(9));
  EXPECT_EQ(ReasonOf(status.why), Reason::kNotReady);
  EXPECT_EQ(RankOf(status.why), (RankRef{"prefill-a", {3, 0, 0, 1}}));
}

TEST_F(Peers, AreUnansweredUntilTheAgentHasReadTheQuestion) {
  auto agent = MakeAgent(1);
  agent->OnCommand([](AttachedRank&, const shm_abi::Command&) {});
  ASSERT_TRUE(agent->Start().ok());
  auto engine = Attach();
  auto peer = engine->WatchPeer("prefill-a");
  ASSERT_TRUE(peer.ok());
  EXPECT_EQ(engine->LookAtPeer(*peer).phase, PeerPhase::kUnanswered);
  EXPECT_THAT(std::string(engine->LookAtPeer(*peer).why.message()), HasSubstr("not answered yet"));
}

TEST_F(Peers, OfARowThatIsUsedAgainDoNotShowTheFormerAnswer) {
  auto agent = MakeAgent(1);
  agent->OnCommand([](AttachedRank& rank, const shm_abi::Command& command) {
    auto* watch = std::get_if<shm_abi::WatchPeer>(&command);
    if (watch != nullptr && watch->server == "prefill-a") TestAgent::GoWell(rank, command);
  });
  ASSERT_TRUE(agent->Start().ok());
  auto engine = Attach(1);
  auto first = engine->WatchPeer("prefill-a");
  ASSERT_TRUE(first.ok());
  ASSERT_TRUE(Becomes(*engine, *first, PeerPhase::kReady));
  engine->ForgetPeer(*first);
  EXPECT_EQ(engine->LookAtPeer(*first).phase, PeerPhase::kClosed);
  auto second = engine->WatchPeer("prefill-b");
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->peer, first->peer);
  EXPECT_EQ(engine->LookAtPeer(*second).phase, PeerPhase::kUnanswered);
  EXPECT_EQ(engine->LookAtPeer(*first).phase, PeerPhase::kClosed);
}

TEST_F(Peers, BeyondTheRowsAndWithoutANameAreRefused) {
  auto agent = MakeAgent(1);
  ASSERT_TRUE(agent->Start().ok());
  auto engine = Attach(1);
  EXPECT_EQ(ReasonOf(engine->WatchPeer("").status()), Reason::kBadMessage);
  EXPECT_EQ(ReasonOf(engine->WatchPeer(std::string(256, 'x')).status()), Reason::kBadMessage);
  auto peer = engine->WatchPeer("prefill-a");
  ASSERT_TRUE(peer.ok());
  auto full = engine->WatchPeer("prefill-b");
  EXPECT_EQ(ReasonOf(full.status()), Reason::kFull);
  EXPECT_THAT(std::string(full.status().message()), HasSubstr("EngineOptions::peers"));
  EXPECT_EQ(engine->LookAtPeer({7, 1}).phase, PeerPhase::kClosed);
  engine->ForgetPeer({7, 1});
  engine->ForgetPeer(*peer);
  EXPECT_TRUE(engine->WatchPeer("prefill-b").ok());
}

TEST_F(Peers, AreAskedOfTheAgentsNextStartAlsoThoseThatWereAskedWithoutOne) {
  auto agent = MakeAgent(1);
  ASSERT_TRUE(agent->Start().ok());
  auto engine = Attach();
  auto before = engine->WatchPeer("prefill-a");
  ASSERT_TRUE(before.ok());
  ASSERT_TRUE(Becomes(*engine, *before, PeerPhase::kReady));
  agent->Stop();
  agent.reset();
  ASSERT_TRUE(Becomes(*engine, *before, PeerPhase::kUnanswered));
  EXPECT_EQ(ReasonOf(engine->LookAtPeer(*before).why), Reason::kAgentLost);
  auto without = engine->WatchPeer("prefill-b");
  ASSERT_TRUE(without.ok()) << without.status();
  agent = MakeAgent(2);
  ASSERT_TRUE(agent->Start().ok());
  EXPECT_TRUE(Becomes(*engine, *before, PeerPhase::kReady));
  EXPECT_TRUE(Becomes(*engine, *without, PeerPhase::kReady));
  EXPECT_EQ(engine->LookAtPeer(*without).server, "prefill-b");
}

TEST_F(Peers, OfAnAgentThatStandsStillAreUnanswered) {
  auto agent = MakeAgent(1);
  ASSERT_TRUE(agent->Start().ok());
  auto engine = Attach();
  auto peer = engine->WatchPeer("prefill-a");
  ASSERT_TRUE(peer.ok());
  ASSERT_TRUE(Becomes(*engine, *peer, PeerPhase::kReady));
  agent->Freeze(true);
  ASSERT_TRUE(Becomes(*engine, *peer, PeerPhase::kUnanswered));
  agent->Freeze(false);
  EXPECT_TRUE(Becomes(*engine, *peer, PeerPhase::kReady));
}

TEST_F(Peers, AreRefusedInNumbersThatNoTableHas) {
  auto agent = MakeAgent(1);
  ASSERT_TRUE(agent->Start().ok());
  EngineOptions options = SmallEngine(folder_.socket(), Role::kDecode, pool_.get());
  options.peers = 1025;
  EXPECT_EQ(ReasonOf(EngineClient::Attach(options).status()), Reason::kConfig);
}

}  // namespace
}  // namespace baton

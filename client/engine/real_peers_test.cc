// Peer servers and aliases among whole programs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "client/engine/testing/real_agents.h"
#include "common/reason.h"

namespace baton {
namespace {

using ::testing::HasSubstr;

constexpr char kAlias[] = "10.0.0.1:8998";
constexpr uint64_t kTokens = 32;  // two pages

class RealPeers : public RealAgents {
 protected:
  // Waits until the answer has that phase.
  bool Becomes(const EngineClient& engine, PeerHandle peer, PeerPhase phase) {
    return Eventually([&] { return engine.LookAtPeer(peer).phase == phase; });
  }
  static std::string Say(const EngineClient& engine, PeerHandle peer) {
    const PeerStatus status = engine.LookAtPeer(peer);
    return absl::StrCat("phase ", static_cast<int>(status.phase), ": ", status.why.ToString());
  }

  const UniqueFd source_pool_ = *CreateSealedMemfd("source", attach::kSmallPoolBytes);
  const UniqueFd target_pool_ = *CreateSealedMemfd("target", attach::kSmallPoolBytes);
};

TEST_F(RealPeers, AServerIsUnknownThenReadyAndUnknownAgainWhenItHasLeft) {
  auto target = Attach(OptionsAt("decode", Role::kDecode, target_pool_));
  ASSERT_NE(target, nullptr);
  auto peer = target->WatchPeer("prefill-a");
  ASSERT_TRUE(peer.ok()) << peer.status();
  ASSERT_TRUE(Becomes(*target, *peer, PeerPhase::kUnknown)) << Say(*target, *peer) << Logs();
  EXPECT_EQ(ReasonOf(target->LookAtPeer(*peer).why), Reason::kUnknownServer);

  auto source = Attach(OptionsAt("prefill", Role::kPrefill, source_pool_));
  ASSERT_NE(source, nullptr);
  ASSERT_TRUE(Becomes(*target, *peer, PeerPhase::kReady)) << Say(*target, *peer) << Logs();
  const PeerStatus ready = target->LookAtPeer(*peer);
  EXPECT_EQ(ready.server, "prefill-a");
  EXPECT_EQ(ready.dp_size, 1u);
  EXPECT_NE(ready.incarnation, Incarnation());
  EXPECT_TRUE(ready.why.ok());

  source.reset();
  ASSERT_TRUE(Becomes(*target, *peer, PeerPhase::kUnknown)) << Say(*target, *peer) << Logs();
  target->ForgetPeer(*peer);
  EXPECT_EQ(target->LookAtPeer(*peer).phase, PeerPhase::kClosed);
}

TEST_F(RealPeers, ADeadPeerIsNotReadyAndItsNextStartIs) {
  auto target = Attach(OptionsAt("decode", Role::kDecode, target_pool_));
  auto source = Attach(OptionsAt("prefill", Role::kPrefill, source_pool_));
  ASSERT_TRUE(source && target);
  auto peer = target->WatchPeer("prefill-a");
  ASSERT_TRUE(peer.ok());
  ASSERT_TRUE(Becomes(*target, *peer, PeerPhase::kReady)) << Say(*target, *peer) << Logs();
  KillAgent("prefill");
  ASSERT_TRUE(Becomes(*target, *peer, PeerPhase::kNotReady)) << Say(*target, *peer) << Logs();
  EXPECT_EQ(RankOf(target->LookAtPeer(*peer).why), (RankRef{"prefill-a", {}}));
  StartAgent("prefill");
  ASSERT_TRUE(Becomes(*target, *peer, PeerPhase::kReady)) << Say(*target, *peer) << Logs();
}

TEST_F(RealPeers, AreAskedForAgainAtTheAgentsNextStart) {
  auto target = Attach(OptionsAt("decode", Role::kDecode, target_pool_));
  auto source = Attach(OptionsAt("prefill", Role::kPrefill, source_pool_));
  ASSERT_TRUE(source && target);
  auto peer = target->WatchPeer("prefill-a");
  ASSERT_TRUE(peer.ok());
  ASSERT_TRUE(Becomes(*target, *peer, PeerPhase::kReady)) << Say(*target, *peer) << Logs();
  KillAgent("decode");
  ASSERT_TRUE(Becomes(*target, *peer, PeerPhase::kUnanswered)) << Say(*target, *peer);
  EXPECT_EQ(ReasonOf(target->LookAtPeer(*peer).why), Reason::kAgentLost);
  StartAgent("decode");
  ASSERT_TRUE(Becomes(*target, *peer, PeerPhase::kReady)) << Say(*target, *peer) << Logs();
}

TEST_F(RealPeers, ARoomOfAnAliasThatReadsReadyIsHandedOver) {
  auto target = Attach(OptionsAt("decode", Role::kDecode, target_pool_));
  EngineOptions options = OptionsAt("prefill", Role::kPrefill, source_pool_);
  options.aliases = {kAlias};
  auto source = Attach(options);
  ASSERT_TRUE(source && target);
  Mapping from = *MapShared(source_pool_.get(), attach::kSmallPoolBytes, Access::kReadWrite);
  Mapping to = *MapShared(target_pool_.get(), attach::kSmallPoolBytes, Access::kRead);
  memset(from.base(), 7, attach::kSmallPoolBytes);

  auto peer = target->WatchPeer(kAlias);
  ASSERT_TRUE(peer.ok());
  ASSERT_TRUE(Becomes(*target, *peer, PeerPhase::kReady)) << Say(*target, *peer) << Logs();
  EXPECT_EQ(target->LookAtPeer(*peer).server, "prefill-a");

  const std::vector<int32_t> pages = {5, 9};
  auto receive = target->OpenReceive(
      {.room = {1, 1}, .prefill_server = kAlias, .total_tokens = kTokens, .pages = {pages}});
  auto send = source->OpenSend({.room = {1, 1}, .total_tokens = kTokens});
  ASSERT_TRUE(receive.ok() && send.ok());
  ASSERT_TRUE(
      source->Send(*send, {.token_end = kTokens, .is_last_chunk = true, .pages = {pages}}).ok());
  ASSERT_TRUE(Ends(*target, *receive, RoomPhase::kDone)) << target->Cause(*receive) << Logs();
  EXPECT_EQ(to.base()[5 * attach::kSmallPageBytes], std::byte{7});
  EXPECT_EQ(to.base()[0], std::byte{0});
}

TEST_F(RealPeers, AnAliasOfAnotherServerKeepsARankOutAndSaysWhose) {
  EngineOptions options = OptionsAt("prefill", Role::kPrefill, source_pool_);
  options.aliases = {kAlias};
  auto source = Attach(options);
  auto target = Attach(OptionsAt("decode", Role::kDecode, target_pool_));
  ASSERT_TRUE(source && target);
  auto peer = target->WatchPeer(kAlias);
  ASSERT_TRUE(peer.ok());
  ASSERT_TRUE(Becomes(*target, *peer, PeerPhase::kReady)) << Say(*target, *peer) << Logs();

  EngineOptions second = OptionsAt("decode", Role::kPrefill, source_pool_);
  second.server = "prefill-b";
  second.aliases = {kAlias};
  auto rival = Attach(second);
  ASSERT_NE(rival, nullptr);
  absl::Status cause;
  ASSERT_TRUE(Eventually([&] {
    auto room = rival->OpenSend({.room = {2, 2}, .total_tokens = kTokens});
    if (!room.ok()) return false;
    const bool failed = Eventually([&] {
      cause = rival->Cause(*room);
      return !cause.ok() || rival->Poll(*room).phase == RoomPhase::kOpen;
    });
    rival->Close(*room);
    return failed && ReasonOf(cause) == Reason::kAliasHeld;
  })) << cause
      << Logs();
  EXPECT_THAT(std::string(cause.message()), HasSubstr("prefill-a"));
  EXPECT_EQ(target->LookAtPeer(*peer).server, "prefill-a");
}

}  // namespace
}  // namespace baton

// The client against the real attach server, in one process.
#include "client/engine/engine_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "client/engine/testing/small_engine.h"
#include "common/memfd.h"
#include "common/reason.h"
#include "tests/support/eventually.h"
#include "transfer_agent/attach/testing/small_rank.h"
#include "transfer_agent/attach/testing/test_agent.h"

namespace baton {
namespace {

using attach::AttachedRank;
using attach::SocketFolder;
using attach::TestAgent;
using shm_abi::RoomState;
using ::testing::HasSubstr;

class Engine : public ::testing::Test {
 protected:
  Engine() : agent_(Options()) {
    auto pool = CreateSealedMemfd("pool", attach::kSmallPoolBytes);
    EXPECT_TRUE(pool.ok()) << pool.status();
    pool_ = *std::move(pool);
  }

  attach::AttachOptions Options() {
    attach::AttachOptions options;
    options.socket_path = folder_.socket();
    options.epoch = Epoch(11);
    options.version = "test";
    return options;
  }

  EngineOptions Rank(Role role) {
    EngineOptions options = SmallEngine(folder_.socket(), role, pool_.get());
    options.labels = {{"zone", "z1"}};
    options.aliases = {"10.0.0.1:8998"};
    options.peers = 3;
    options.slots = 8;
    options.ring_bytes = 64 << 10;
    return options;
  }

  std::unique_ptr<EngineClient> Attach(EngineOptions options) {
    auto engine = EngineClient::Attach(std::move(options));
    EXPECT_TRUE(engine.ok()) << engine.status();
    return engine.ok() ? *std::move(engine) : nullptr;
  }

  std::unique_ptr<EngineClient> Start(Role role) {
    EXPECT_TRUE(agent_.Start().ok());
    return Attach(Rank(role));
  }

  static bool Reaches(EngineClient& engine, RoomHandle room, RoomPhase phase) {
    return Eventually([&] { return engine.Poll(room).phase == phase; });
  }

  SocketFolder folder_;
  UniqueFd pool_;
  TestAgent agent_;
};

ReceiveRoom RoomOf(uint64_t id, absl::Span<const int32_t> pages) {
  ReceiveRoom room;
  room.room = {id, 0};
  room.prefill_server = "prefill-a";
  room.total_tokens = 32;
  room.pages = {pages};
  return room;
}

Chunk ChunkOf(uint64_t begin, uint64_t end, bool last, absl::Span<const int32_t> pages) {
  Chunk chunk;
  chunk.token_begin = begin;
  chunk.token_end = end;
  chunk.is_last_chunk = last;
  chunk.pages = {pages};
  return chunk;
}

TEST_F(Engine, HandsEverythingThatTheAgentNeedsOver) {
  auto engine = Start(Role::kPrefill);
  EXPECT_TRUE(engine->attached());
  EXPECT_EQ(engine->agent_epoch(), Epoch(11));
  int seen = 0;
  agent_.WithRanks([&](AttachedRank& rank) {
    ++seen;
    EXPECT_EQ(rank.rank, (RankRef{"prefill-a", {}}));
    EXPECT_EQ(rank.role, Role::kPrefill);
    EXPECT_EQ(rank.launch_id, "1");
    EXPECT_EQ(rank.model, "small");
    EXPECT_EQ(rank.spec, attach::SmallSpec());
    EXPECT_EQ(rank.layout, attach::SmallLayout());
    EXPECT_EQ(rank.labels.at("zone"), "z1");
    EXPECT_EQ(rank.engine_pid, getpid());
    ASSERT_EQ(rank.regions.size(), 1u);
    EXPECT_EQ(rank.regions[0].size(), attach::kSmallPoolBytes);
    EXPECT_NE(rank.regions[0].base(), nullptr);
    EXPECT_EQ(rank.aliases, std::vector<std::string>{"10.0.0.1:8998"});
    EXPECT_EQ(rank.table->slots(), 8u);
    EXPECT_EQ(rank.table->peers(), 3u);
  });
  EXPECT_EQ(seen, 1);
}

TEST_F(Engine, SendsARoomFromOfferToDone) {
  auto engine = Start(Role::kPrefill);
  auto room = engine->OpenSend({.room = {42, 1}, .total_tokens = 32});
  ASSERT_TRUE(room.ok()) << room.status();
  ASSERT_TRUE(Reaches(*engine, *room, RoomPhase::kOffered));
  EXPECT_EQ(engine->Poll(*room).prefix_tokens, 7u);
  EXPECT_FALSE(engine->Poll(*room).released);
  std::vector<int32_t> pages = {3, 9};
  ASSERT_TRUE(engine->Send(*room, ChunkOf(7, 16, false, pages)).ok());
  ASSERT_TRUE(engine->Send(*room, ChunkOf(16, 32, true, pages)).ok());
  ASSERT_TRUE(Reaches(*engine, *room, RoomPhase::kDone));
  EXPECT_TRUE(engine->Poll(*room).released);
  EXPECT_EQ(engine->BytesMoved(*room), 32u);
  EXPECT_TRUE(engine->Cause(*room).ok());
  engine->Close(*room);
  EXPECT_EQ(engine->Poll(*room).phase, RoomPhase::kClosed);
  EXPECT_EQ(ReasonOf(engine->Send(*room, Chunk())), Reason::kRoomUnknown);
}

TEST_F(Engine, ReceivesARoom) {
  auto engine = Start(Role::kDecode);
  std::vector<int32_t> pages = {5, 1};
  auto room = engine->OpenReceive(RoomOf(0, pages));
  ASSERT_TRUE(room.ok()) << room.status();
  ASSERT_TRUE(Reaches(*engine, *room, RoomPhase::kDone));
  EXPECT_TRUE(engine->Poll(*room).released);
  EXPECT_EQ(engine->BytesMoved(*room), 32u);
}

TEST_F(Engine, PassesEveryFieldOfACallOn) {
  Mutex mu;
  std::vector<shm_abi::Command> seen;
  agent_.OnCommand([&](AttachedRank&, const shm_abi::Command& command) {
    MutexLock lock(&mu);
    seen.push_back(command);
  });
  auto engine = Start(Role::kDecode);
  std::vector<int32_t> pages = {5, 1};
  ReceiveRoom room = RoomOf(9, pages);
  room.room.nonce = 4;
  room.prefill_dp = 2;
  room.policy.cp_holder = planner::HolderPolicy::kSpread;
  room.prefix_tokens = 16;
  room.state_rows = {8};
  room.aux_row = 6;
  room.time_left = std::chrono::milliseconds(1500);
  auto handle = engine->OpenReceive(room);
  ASSERT_TRUE(handle.ok());
  ASSERT_TRUE(engine->Abort(*handle, "no need").ok());
  ASSERT_TRUE(engine->Abort(*handle, "twice is once").ok());
  engine->Close(*handle);
  ASSERT_TRUE(Eventually([&] {
    MutexLock lock(&mu);
    return seen.size() == 3;
  }));
  const auto& open = std::get<shm_abi::OpenReceive>(seen[0]);
  EXPECT_EQ(open.room, (RoomKey{9, 4}));
  EXPECT_EQ(open.prefill_server, "prefill-a");
  EXPECT_EQ(open.prefill_dp, std::optional<uint32_t>(2));
  EXPECT_EQ(open.tp_holder, 1);
  EXPECT_EQ(open.cp_holder, 2);
  EXPECT_EQ(open.total_tokens, 32u);
  EXPECT_EQ(open.prefix_tokens, 16u);
  EXPECT_EQ(open.time_left_ms, 1500u);
  EXPECT_EQ(open.pages, (std::vector<std::vector<int32_t>>{{5, 1}}));
  EXPECT_EQ(open.state_rows, std::vector<uint32_t>{8});
  EXPECT_EQ(open.aux_row, 6u);
  EXPECT_EQ(std::get<shm_abi::Abort>(seen[1]).why, "no need");
  EXPECT_EQ(std::get<shm_abi::Close>(seen[2]).slot.generation, handle->generation);
}

TEST_F(Engine, TellsTheCauseOfAFailureWithItsRank) {
  RankRef blamed{"prefill-b", {0, 1, 0, 3}};
  agent_.OnCommand([&](AttachedRank& rank, const shm_abi::Command& command) {
    if (auto* open = std::get_if<shm_abi::OpenReceive>(&command)) {
      rank.table->SetCause(open->slot.slot, Error(Reason::kPeerLost, "it died", blamed));
      rank.table->Publish(open->slot.slot, {open->slot.generation, RoomState::kFailed, false});
    }
  });
  auto engine = Start(Role::kDecode);
  auto room = engine->OpenReceive(RoomOf(1, {}));
  ASSERT_TRUE(room.ok());
  ASSERT_TRUE(Reaches(*engine, *room, RoomPhase::kFailed));
  EXPECT_FALSE(engine->Poll(*room).released);
  EXPECT_EQ(ReasonOf(engine->Cause(*room)), Reason::kPeerLost);
  EXPECT_EQ(RankOf(engine->Cause(*room)), blamed);
  EXPECT_EQ(engine->Cause(*room).message(), "it died");
  agent_.WithRanks([&](AttachedRank& rank) {
    rank.table->Publish(room->slot, {room->generation, RoomState::kFailed, true});
  });
  EXPECT_TRUE(engine->Poll(*room).released);
}

TEST_F(Engine, SaysFullWhenEverySlotIsOpenAndGoesOnAfterAClose) {
  auto engine = Start(Role::kPrefill);
  std::vector<RoomHandle> rooms;
  for (uint64_t i = 0; i < 8; ++i) {
    auto room = engine->OpenSend({.room = {i}});
    ASSERT_TRUE(room.ok()) << room.status();
    rooms.push_back(*room);
  }
  auto full = engine->OpenSend({.room = {8}});
  EXPECT_EQ(ReasonOf(full.status()), Reason::kFull);
  EXPECT_THAT(full.status().message(), HasSubstr("raise slots"));
  engine->Close(rooms[3]);
  auto again = engine->OpenSend({.room = {8}});
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->slot, rooms[3].slot);
  EXPECT_NE(again->generation, rooms[3].generation);
  EXPECT_EQ(engine->Poll(rooms[3]).phase, RoomPhase::kClosed);
}

TEST_F(Engine, SaysFullWhenTheRingIsFullAndLosesNoAbortAndNoClose) {
  std::atomic<int> aborts{0}, closes{0};
  agent_.OnCommand([&](AttachedRank&, const shm_abi::Command& command) {
    aborts += std::holds_alternative<shm_abi::Abort>(command);
    closes += std::holds_alternative<shm_abi::Close>(command);
  });
  auto engine = Start(Role::kPrefill);
  std::vector<RoomHandle> rooms;
  for (uint64_t i = 0; i < 8; ++i) rooms.push_back(*engine->OpenSend({.room = {i}}));
  agent_.Freeze(true);
  std::vector<int32_t> pages(100);
  absl::Status sent;
  while ((sent = engine->Send(rooms[0], ChunkOf(0, 16, false, pages))).ok()) {
  }
  EXPECT_EQ(ReasonOf(sent), Reason::kFull);
  while (engine->Send(rooms[0], ChunkOf(0, 16, false, {})).ok()) {
  }
  for (RoomHandle room : rooms) engine->Close(room);
  EXPECT_EQ(ReasonOf(engine->OpenSend({.room = {9}}).status()), Reason::kFull);
  agent_.Freeze(false);
  EXPECT_TRUE(Eventually([&] { return aborts == 8 && closes == 8; })) << aborts << closes;
  EXPECT_TRUE(Eventually([&] { return engine->OpenSend({.room = {9}}).ok(); }));
}

TEST_F(Engine, RefusesACallThatIsTooLargeForTheRingAndSaysWhatToRaise) {
  auto engine = Start(Role::kPrefill);
  auto room = engine->OpenSend({.room = {1}});
  std::vector<int32_t> pages(5000);
  absl::Status sent = engine->Send(*room, ChunkOf(0, 16, false, pages));
  EXPECT_EQ(ReasonOf(sent), Reason::kTooLarge);
  EXPECT_THAT(sent.message(), HasSubstr("ring_bytes"));
}

TEST_F(Engine, RefusesCallsThatMakeNoSense) {
  auto engine = Start(Role::kPrefill);
  EXPECT_FALSE(engine->OpenReceive(RoomOf(1, {})).ok());
  auto room = engine->OpenSend({.room = {1}});
  EXPECT_EQ(ReasonOf(engine->Send(*room, ChunkOf(5, 4, false, {}))), Reason::kBadChunk);
  EXPECT_EQ(ReasonOf(engine->Send({99, 1}, Chunk())), Reason::kRoomUnknown);
  EXPECT_EQ(ReasonOf(engine->Abort({0, 0}, "")), Reason::kRoomUnknown);
  EXPECT_EQ(engine->Poll({99, 1}).phase, RoomPhase::kClosed);
  engine->Close({99, 1});
}

TEST_F(Engine, WakesASleepingWorker) {
  auto engine = Start(Role::kPrefill);
  for (uint64_t i = 0; i < 200; ++i) {
    uint64_t slept = agent_.sleeps();
    ASSERT_TRUE(Eventually([&] { return agent_.sleeps() > slept; }));
    auto room = engine->OpenSend({.room = {i}});
    ASSERT_TRUE(room.ok());
    ASSERT_TRUE(Reaches(*engine, *room, RoomPhase::kOffered));
    engine->Close(*room);
  }
}

TEST_F(Engine, TakesCallsFromManyThreads) {
  auto engine = Start(Role::kPrefill);
  std::atomic<int> done{0};
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (uint64_t i = 0; i < 300;) {
        auto room = engine->OpenSend({.room = {i, t}});
        if (!room.ok()) {
          std::this_thread::yield();
          continue;
        }
        while (!engine->Send(*room, ChunkOf(0, 8, true, {})).ok()) std::this_thread::yield();
        done += Reaches(*engine, *room, RoomPhase::kDone);
        engine->Close(*room);
        ++i;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(done, 1200);
}

TEST_F(Engine, DetachesWithItsEnd) {
  auto engine = Start(Role::kPrefill);
  engine.reset();
  EXPECT_TRUE(Eventually([&] { return agent_.detached() == 1; }));
}

TEST_F(Engine, SaysWhereItLookedWhenNobodyListens) {
  EngineOptions options = Rank(Role::kPrefill);
  options.attach_timeout = std::chrono::milliseconds(50);
  auto engine = EngineClient::Attach(options);
  EXPECT_EQ(ReasonOf(engine.status()), Reason::kDeadline);
  EXPECT_THAT(engine.status().message(), HasSubstr(folder_.socket()));
  EXPECT_THAT(engine.status().message(), HasSubstr("prefill-a[dp0/pp0/cp0/tp0]"));
  EXPECT_THAT(engine.status().message(), HasSubstr("start baton-agent"));
}

TEST_F(Engine, WaitsForAnAgentThatStartsLater) {
  std::thread later([&] { EXPECT_TRUE(agent_.Start().ok()); });
  auto engine = Attach(Rank(Role::kPrefill));
  later.join();
  EXPECT_NE(engine, nullptr);
}

TEST_F(Engine, IsRefusedWithTheAgentsWords) {
  EXPECT_TRUE(agent_.Start().ok());
  EngineOptions options = Rank(Role::kPrefill);
  options.coord.tp = 1;
  auto engine = EngineClient::Attach(options);
  EXPECT_EQ(ReasonOf(engine.status()), Reason::kBadCoord) << engine.status();
  EXPECT_THAT(engine.status().message(), HasSubstr("outside the server's sizes"));
}

TEST_F(Engine, AttachesASecondRankBesideTheFirst) {
  auto first = Start(Role::kPrefill);
  auto second = Attach(Rank(Role::kDecode));
  EXPECT_EQ(agent_.attached(), 2);
  auto room = second->OpenReceive(RoomOf(1, {}));
  ASSERT_TRUE(room.ok());
  EXPECT_TRUE(Reaches(*second, *room, RoomPhase::kDone));
}

}  // namespace
}  // namespace baton

// Send and Poll allocate nothing: they run between an engine's forward passes.
#include <gtest/gtest.h>

#include <atomic>

#include "client/engine/engine_client.h"
#include "client/engine/testing/small_engine.h"
#include "common/memfd.h"
#include "tests/support/counted_allocations.h"
#include "tests/support/eventually.h"
#include "transfer_agent/attach/testing/small_rank.h"
#include "transfer_agent/attach/testing/test_agent.h"

namespace baton {
namespace {

using test::allocations;
using test::counted;

TEST(Allocations, AreNoneInSendAndPoll) {
  attach::SocketFolder folder;
  attach::AttachOptions agent_options;
  agent_options.socket_path = folder.socket();
  agent_options.epoch = Epoch(1);
  attach::TestAgent agent(agent_options);
  ASSERT_TRUE(agent.Start().ok());
  UniqueFd pool = *CreateSealedMemfd("pool", attach::kSmallPoolBytes);
  auto engine = EngineClient::Attach(SmallEngine(folder.socket(), Role::kPrefill, pool.get()));
  ASSERT_TRUE(engine.ok()) << engine.status();
  auto room = (*engine)->OpenSend({.room = {1}, .total_tokens = 64});
  ASSERT_TRUE(room.ok());
  std::vector<int32_t> pages(64, 1);
  Chunk chunk;
  chunk.token_end = 16;
  chunk.pages = {pages};

  counted = true;
  std::string* proof = new std::string(100, 'x');  // the counter does count
  counted = false;
  delete proof;
  ASSERT_GE(allocations, 2);
  allocations = 0;

  counted = true;
  absl::Status sent = (*engine)->Send(*room, chunk);
  RoomStatus status = (*engine)->Poll(*room);
  (*engine)->BytesMoved(*room);
  counted = false;
  EXPECT_TRUE(sent.ok()) << sent;
  EXPECT_NE(status.phase, RoomPhase::kClosed);
  EXPECT_EQ(allocations, 0);
}

}  // namespace
}  // namespace baton

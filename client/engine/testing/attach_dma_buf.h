// Hands a GPU pool of kSmallPoolBytes to an agent, as an engine does.
#ifndef BATON_CLIENT_ENGINE_TESTING_ATTACH_DMA_BUF_H_
#define BATON_CLIENT_ENGINE_TESTING_ATTACH_DMA_BUF_H_

#include <gtest/gtest.h>

#include "client/engine/cuda_pool.h"
#include "client/engine/engine_client.h"
#include "client/engine/testing/small_engine.h"
#include "transfer_agent/attach/testing/test_agent.h"

namespace baton {

// The agent takes it over with its size and no more than that.
inline void ExpectTakenOver(const CudaPool& pool) {
  attach::SocketFolder folder;
  attach::AttachOptions agent_options;
  agent_options.socket_path = folder.socket();
  agent_options.epoch = Epoch(1);
  attach::TestAgent agent(agent_options);
  ASSERT_TRUE(agent.Start().ok());

  EngineOptions options = SmallEngine(folder.socket(), Role::kDecode, -1, /*dma_buf=*/true);
  options.regions = {pool.Region("kv")};
  options.device_orders_writes = pool.device_orders_writes;
  auto engine = EngineClient::Attach(options);
  ASSERT_TRUE(engine.ok()) << engine.status();
  agent.WithRanks([&](attach::AttachedRank& rank) {
    EXPECT_TRUE(rank.regions[0].dma_buf());
    EXPECT_EQ(rank.regions[0].size(), attach::kSmallPoolBytes);
    EXPECT_EQ(rank.regions[0].fd() >= 0, pool.dma_buf.get() >= 0);
    EXPECT_EQ(rank.regions[0].share().kind, pool.share.kind);
    EXPECT_EQ(rank.regions[0].share().device, pool.share.device);
    EXPECT_EQ(rank.regions[0].share().ipc, pool.share.ipc);
    EXPECT_EQ(rank.regions[0].share().offset, pool.share.offset);
    EXPECT_EQ(rank.regions[0].share().fd >= 0, pool.allocation.get() >= 0);
    EXPECT_EQ(rank.device_orders_writes, pool.device_orders_writes);
  });

  options.regions[0].size = pool.share.allocation_bytes + (64 << 20);
  EXPECT_FALSE(EngineClient::Attach(options).ok()) << "the pool is smaller";
}

}  // namespace baton

#endif  // BATON_CLIENT_ENGINE_TESTING_ATTACH_DMA_BUF_H_

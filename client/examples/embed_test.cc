#include "client/examples/embed.h"

#include <gtest/gtest.h>

#include <fstream>

#include "common/memfd.h"
#include "common/reason.h"
#include "transfer_agent/attach/testing/small_rank.h"
#include "transfer_agent/attach/testing/test_agent.h"

namespace baton::examples {
namespace {

class Embed : public ::testing::Test {
 protected:
  Embed() {
    options_.agent_socket = folder_.socket();
    options_.server = "prefill-a";
    options_.launch_id = "1";
    options_.spec = attach::SmallSpec();
    options_.layout = attach::SmallLayout();
    options_.regions = {{"kv", pool_.get(), attach::kSmallPoolBytes, false}};
    attach::AttachOptions agent;
    agent.socket_path = folder_.socket();
    agent.epoch = Epoch(1);
    agent_.emplace(agent);
  }

  attach::SocketFolder folder_;
  UniqueFd pool_ = *CreateSealedMemfd("pool", attach::kSmallPoolBytes);
  EngineOptions options_;
  std::optional<attach::TestAgent> agent_;
};

TEST_F(Embed, HandsOnePromptOver) {
  ASSERT_TRUE(agent_->Start().ok());
  uint64_t computed_from = 0;
  absl::Status end = HandOver(options_, {42}, 32, [&](uint64_t begin, uint64_t) {
    computed_from = begin;
    return std::vector<int32_t>{3, 1};
  });
  EXPECT_TRUE(end.ok()) << end;
  EXPECT_EQ(computed_from, 7u);  // what the test's agent says is there already
}

TEST_F(Embed, EndsWithTheCauseOfAFailure) {
  agent_->OnCommand([](attach::AttachedRank& rank, const shm_abi::Command& command) {
    if (auto* open = std::get_if<shm_abi::OpenSend>(&command)) {
      rank.table->SetCause(open->slot.slot, Error(Reason::kDeadline, "no offer came"));
      rank.table->Publish(open->slot.slot,
                          {open->slot.generation, shm_abi::RoomState::kFailed, true});
    }
  });
  ASSERT_TRUE(agent_->Start().ok());
  absl::Status end =
      HandOver(options_, {42}, 32, [](uint64_t, uint64_t) { return std::vector<int32_t>(); });
  EXPECT_EQ(ReasonOf(end), Reason::kDeadline) << end;
}

TEST(EmbedText, IsAboutTwentyLines) {
  std::ifstream file("client/examples/embed.cc");
  int markers = 0, lines = 0;
  for (std::string line; std::getline(file, line);) {
    if (line == "// [embed]") {
      ++markers;
    } else if (markers == 1) {
      ++lines;
    }
  }
  EXPECT_EQ(markers, 2);
  EXPECT_LE(lines, 22);
  EXPECT_GE(lines, 10);
}

}  // namespace
}  // namespace baton::examples

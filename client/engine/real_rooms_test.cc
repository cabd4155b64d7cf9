// What engines of hybrid models need of a room, among whole programs: two page groups and a STATE
// row that overlay each other in one pool, totals that come late, chunks of some page groups.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "client/engine/testing/real_agents.h"
#include "common/reason.h"

namespace baton {
namespace {

using ::testing::HasSubstr;

constexpr uint32_t kPages = 32;
constexpr uint32_t kTokenBytes = 64;
constexpr uint32_t kPageBytes = 16 * kTokenBytes;
constexpr uint64_t kPoolBytes = uint64_t{kPages} * kPageBytes;
constexpr uint64_t kTotal = 40;  // three pages; the window of 16 begins at token 24

// Layer 0 in page group 0, layer 1 in group 1 with a window, a row of STATE in layer 2: all over
// the same pages.
planner::ServerSpec HybridSpec() {
  planner::ServerSpec spec;
  spec.stages = {{0, 1, 2}};
  spec.page_groups = {{16, 0}, {16, 16}};
  for (uint32_t group : {0u, 1u}) {
    planner::TensorSpec tensor;
    tensor.name = group == 0 ? "full" : "window";
    tensor.layers = {group};
    tensor.page_group = group;
    tensor.dtype = "bf16";
    tensor.head_bytes = kTokenBytes;
    spec.tensors.push_back(tensor);
  }
  planner::TensorSpec state;
  state.kind = planner::Kind::kState;
  state.layers = {2};
  state.dtype = "fp32";
  state.head_bytes = kPageBytes;
  spec.tensors.push_back(state);
  return spec;
}

planner::RankLayout HybridLayout() {
  planner::RankLayout layout;
  for (uint32_t tensor = 0; tensor < 3; ++tensor) {
    planner::BufferLayout buffer;
    buffer.tensor = tensor;
    buffer.layer = tensor;
    buffer.pages = kPages;
    buffer.page_stride = kPageBytes;
    buffer.entry_stride = tensor == 2 ? kPageBytes : kTokenBytes;
    buffer.head_stride = buffer.entry_stride;
    layout.buffers.push_back(buffer);
  }
  return layout;
}

class RealRooms : public RealAgents {
 protected:
  void SetUp() override {
    RealAgents::SetUp();
    for (uint64_t i = 0; i < kPoolBytes; ++i) from_.base()[i] = ContentOf(i);
    for (auto [agent, role, pool] : {std::make_tuple("prefill", Role::kPrefill, &source_pool_),
                                     {"decode", Role::kDecode, &target_pool_}}) {
      EngineOptions options = OptionsAt(agent, role, *pool);
      options.spec = HybridSpec();
      options.layout = HybridLayout();
      // Two regions on one descriptor: the second is used by nobody.
      options.regions = {{"kv", pool->get(), kPoolBytes}, {"kv again", pool->get(), kPoolBytes}};
      (role == Role::kPrefill ? source_ : target_) = Attach(options);
    }
    ASSERT_TRUE(source_ && target_);
  }

  static std::byte ContentOf(uint64_t at) { return static_cast<std::byte>(1 + at * 7 % 251); }

  absl::StatusOr<RoomHandle> Receive(RoomKey key, uint64_t total, uint32_t row) {
    return target_->OpenReceive({.room = key,
                                 .prefill_server = "prefill-a",
                                 .total_tokens = total,
                                 .pages = {full_to_, window_to_},
                                 .state_rows = {row}});
  }
  // Layer 0 as it is computed; the window and the row with the end, which is the total.
  absl::Status SendAll(RoomHandle send, uint64_t total, uint32_t row) {
    const std::vector<int32_t> first = {full_from_[0]}, rest = {full_from_[1], full_from_[2]};
    absl::Status status =
        source_->Send(send, {.token_end = 16, .pages = {first, {}}, .page_groups = 1});
    if (!status.ok()) return status;
    status = source_->Send(
        send, {.token_begin = 16, .token_end = total, .pages = {rest, {}}, .page_groups = 1});
    if (!status.ok()) return status;
    const std::vector<uint32_t> rows = {row};
    return source_->Send(send, {.token_end = total,
                                .is_last_chunk = true,
                                .pages = {{}, window_from_},
                                .state_rows = rows,
                                .page_groups = 2});
  }

  // Tokens [begin, end) of a page are at the target what they are at the source.
  void ExpectLanded(int32_t from, int32_t to, uint64_t begin, uint64_t end) {
    EXPECT_EQ(
        memcmp(from_.base() + from * kPageBytes + begin * kTokenBytes,
               to_.base() + to * kPageBytes + begin * kTokenBytes, (end - begin) * kTokenBytes),
        0)
        << "page " << from << " to " << to;
    landed_ += (end - begin) * kTokenBytes;
  }
  // Nothing else was written.
  void ExpectNothingElse() {
    uint64_t written = 0;
    for (uint64_t i = 0; i < kPoolBytes; ++i) written += to_.base()[i] != std::byte{0};
    EXPECT_EQ(written, landed_);
  }
  void ExpectTokensLanded() {
    ExpectLanded(1, 10, 0, 16);
    ExpectLanded(2, 11, 0, 16);
    ExpectLanded(3, 12, 0, 8);
    ExpectLanded(4, 20, 8, 16);
    ExpectLanded(5, 21, 0, 8);
  }

  const UniqueFd source_pool_ = *CreateSealedMemfd("source", kPoolBytes);
  const UniqueFd target_pool_ = *CreateSealedMemfd("target", kPoolBytes);
  Mapping from_ = *MapShared(source_pool_.get(), kPoolBytes, Access::kReadWrite);
  Mapping to_ = *MapShared(target_pool_.get(), kPoolBytes, Access::kRead);
  const std::vector<int32_t> full_from_ = {1, 2, 3}, window_from_ = {4, 5};
  const std::vector<int32_t> full_to_ = {10, 11, 12}, window_to_ = {20, 21};
  std::unique_ptr<EngineClient> source_, target_;
  uint64_t landed_ = 0;
};

TEST_F(RealRooms, LandWithATotalThatComesWithTheLastChunkAndGroupsByThemselves) {
  auto send = source_->OpenSend({.room = {1, 1}, .total_tokens = std::nullopt});
  ASSERT_TRUE(send.ok()) << send.status();
  ASSERT_TRUE(SendAll(*send, kTotal, 6).ok());
  auto receive = Receive({1, 1}, kTotal, 30);
  ASSERT_TRUE(receive.ok());
  ASSERT_TRUE(Ends(*target_, *receive, RoomPhase::kDone)) << target_->Cause(*receive) << Logs();
  ASSERT_TRUE(Ends(*source_, *send, RoomPhase::kDone)) << source_->Cause(*send);
  ExpectTokensLanded();
  ExpectLanded(6, 30, 0, 16);
  ExpectNothingElse();
}

TEST_F(RealRooms, WithoutAStateRowOnEitherSideLandTheRest) {
  auto send = source_->OpenSend({.room = {2, 1}, .total_tokens = kTotal});
  auto receive = Receive({2, 1}, kTotal, kNoRow);
  ASSERT_TRUE(send.ok() && receive.ok());
  ASSERT_TRUE(SendAll(*send, kTotal, kNoRow).ok());
  ASSERT_TRUE(Ends(*target_, *receive, RoomPhase::kDone)) << target_->Cause(*receive) << Logs();
  ExpectTokensLanded();
  ExpectNothingElse();
}

TEST_F(RealRooms, WithAStateRowOnOneSideAloneFailAndSayWhich) {
  auto send = source_->OpenSend({.room = {3, 1}, .total_tokens = kTotal});
  auto receive = Receive({3, 1}, kTotal, kNoRow);
  ASSERT_TRUE(send.ok() && receive.ok());
  ASSERT_TRUE(SendAll(*send, kTotal, 6).ok());
  ASSERT_TRUE(Ends(*target_, *receive, RoomPhase::kFailed)) << Logs();
  EXPECT_EQ(ReasonOf(target_->Cause(*receive)), Reason::kBadChunk) << target_->Cause(*receive);
  EXPECT_THAT(std::string(target_->Cause(*receive).message()), HasSubstr("the target has none"));
}

TEST_F(RealRooms, WhoseLateTotalIsNotTheTargetsFailOnBothSides) {
  auto send = source_->OpenSend({.room = {4, 1}, .total_tokens = std::nullopt});
  auto receive = Receive({4, 1}, kTotal + 1, 30);
  ASSERT_TRUE(send.ok() && receive.ok());
  ASSERT_TRUE(SendAll(*send, kTotal, 6).ok());
  ASSERT_TRUE(Ends(*target_, *receive, RoomPhase::kFailed)) << Logs();
  ASSERT_TRUE(Ends(*source_, *send, RoomPhase::kFailed));
  EXPECT_EQ(ReasonOf(target_->Cause(*receive)), Reason::kTotalsDiffer) << target_->Cause(*receive);
}

TEST_F(RealRooms, WithoutATotalRefuseAWindowsPagesBeforeTheLastChunk) {
  auto send = source_->OpenSend({.room = {5, 1}, .total_tokens = std::nullopt});
  ASSERT_TRUE(send.ok());
  const std::vector<int32_t> first = {1}, window = {4};
  ASSERT_TRUE(source_->Send(*send, {.token_end = 16, .pages = {first, window}}).ok());
  ASSERT_TRUE(Ends(*source_, *send, RoomPhase::kFailed));
  EXPECT_THAT(std::string(source_->Cause(*send).message()), HasSubstr("page group 1 has a window"));
}

TEST_F(RealRooms, ThatAreAnnouncedHearOfTheirSourcesEndAndThenGetTheirPages) {
  auto room = target_->Announce({.room = {6, 0}, .prefill_server = "prefill-a"});
  ASSERT_TRUE(room.ok()) << room.status();
  auto send = source_->OpenSend({.room = {6, 0}, .total_tokens = std::nullopt});
  ASSERT_TRUE(send.ok());
  ASSERT_TRUE(SendAll(*send, kTotal, 6).ok());
  ASSERT_TRUE(Eventually([&] { return target_->Poll(*room).source_complete; }))
      << target_->Cause(*room) << Logs();
  EXPECT_EQ(target_->Poll(*room).source_tokens, kTotal);
  RoomPages pages;
  pages.total_tokens = kTotal;
  pages.pages = {full_to_, window_to_};
  pages.state_rows = {30};
  ASSERT_TRUE(target_->Provide(*room, pages).ok());
  ASSERT_TRUE(Ends(*target_, *room, RoomPhase::kDone)) << target_->Cause(*room) << Logs();
  ExpectTokensLanded();
}

TEST_F(RealRooms, ThatAreAnnouncedFailWhenThePrefillAgentIsKilledOrItsEngineEnds) {
  auto first = target_->Announce({.room = {7, 0}, .prefill_server = "prefill-a"});
  auto send = source_->OpenSend({.room = {7, 0}, .total_tokens = kTotal});
  ASSERT_TRUE(first.ok() && send.ok());
  ASSERT_TRUE(source_->Abort(*send, "no memory").ok());
  ASSERT_TRUE(Ends(*target_, *first, RoomPhase::kFailed)) << Logs();
  EXPECT_EQ(ReasonOf(target_->Cause(*first)), Reason::kAborted) << target_->Cause(*first);
  source_->Close(*send);
  target_->Close(*first);
  // The same id at once, and a source that dies before it opens the room.
  auto second = target_->Announce({.room = {7, 0}, .prefill_server = "prefill-a"});
  ASSERT_TRUE(second.ok());
  source_.reset();
  ASSERT_TRUE(Ends(*target_, *second, RoomPhase::kFailed)) << Logs();
  EXPECT_TRUE(Eventually([&] { return target_->Poll(*second).released; }));
}

TEST_F(RealRooms, OfOneIdFollowEachOtherAtOnce) {
  for (int use = 0; use < 3; ++use) {
    auto send = source_->OpenSend({.room = {8, 0}, .total_tokens = kTotal});
    auto receive = Receive({8, 0}, kTotal, 30);
    ASSERT_TRUE(send.ok() && receive.ok());
    ASSERT_TRUE(SendAll(*send, kTotal, 6).ok());
    ASSERT_TRUE(Ends(*target_, *receive, RoomPhase::kDone)) << target_->Cause(*receive) << Logs();
    ASSERT_TRUE(Ends(*source_, *send, RoomPhase::kDone)) << source_->Cause(*send);
    source_->Close(*send);
    target_->Close(*receive);
  }
}

}  // namespace
}  // namespace baton

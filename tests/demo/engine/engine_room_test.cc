#include "tests/demo/engine/engine_room.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "common/reason.h"
#include "tests/demo/engine/canary_book.h"
#include "tests/demo/engine/loopback.h"
#include "tests/demo/engine/source_room.h"
#include "tests/demo/engine/target_room.h"

namespace baton::demo {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::unique_ptr<RankMemory> Memory(const char* preset, const char* topology, uint64_t seed) {
  Topology parsed = *ParseTopology(topology);
  auto memory = RankMemory::Create(
      {*BuildSpec(*FindPreset(preset), parsed), {}, parsed.order, 512, 8, seed, "test"});
  EXPECT_TRUE(memory.ok()) << memory.status();
  return *std::move(memory);
}

class EngineRoomTest : public testing::Test {
 protected:
  EngineRoomTest() : EngineRoomTest("gqa", "page8") {}
  EngineRoomTest(const char* preset, const char* topology)
      : source_memory_(Memory(preset, topology, 1)),
        target_memory_(Memory(preset, topology, 2)),
        hub_(source_memory_.get(), target_memory_.get()),
        source_(hub_.MakeSource()),
        target_(hub_.MakeTarget()),
        book_(target_memory_.get()) {
    open_.set_id(7);
    open_.set_nonce(3);
    open_.set_total_tokens(53);
    open_.set_prefix_tokens(11);
    open_.set_chunk_tokens(13);
    open_.set_time_left_ms(60000);
  }

  // Runs both legs to their ends.
  void Run() {
    source_room_.emplace(source_.get(), source_memory_.get(), open_,
                         *source_memory_->Allocate(0, open_.total_tokens()));
    target_room_.emplace(target_.get(), target_memory_.get(), open_,
                         *target_memory_->Allocate(open_.prefix_tokens(), open_.total_tokens()));
    for (int i = 0; i < 10000 && !(source_room_->finished() && target_room_->finished()); ++i) {
      source_room_->Step();
      target_room_->Step();
    }
    ASSERT_TRUE(source_room_->finished() && target_room_->finished());
    book_.Returned(target_room_->key(), target_room_->share(), target_room_->content_is_known());
  }

  BufferView& TargetView(size_t index) { return target_memory_->pool().views()[index]; }

  std::unique_ptr<RankMemory> source_memory_;
  std::unique_ptr<RankMemory> target_memory_;
  Loopback hub_;
  std::unique_ptr<EngineClient> source_;
  std::unique_ptr<EngineClient> target_;
  CanaryBook book_;
  v1::OpenRoom open_;
  std::optional<SourceRoom> source_room_;
  std::optional<TargetRoom> target_room_;
};

TEST_F(EngineRoomTest, HandsOverARoomInChunks) {
  Run();
  EXPECT_EQ(source_room_->report().error(), "");
  EXPECT_EQ(target_room_->report().error(), "");
  EXPECT_EQ(target_room_->report().pages_bad(), 0u);
  // 24 buffers of 6 pages (the first holds the end of the prefix), and the aux row.
  EXPECT_EQ(target_room_->report().pages(), 24u * 6 + 1);
  EXPECT_EQ(target_room_->report().bytes(), 42u * 24 * 24 * 64 + kAuxBytes);
  EXPECT_GT(source_room_->report().last_send_ns(), 0u);
  v1::FinalReport rest = book_.Check();
  EXPECT_EQ(rest.pages_bad(), 0u);
  EXPECT_GT(rest.pages(), 24u * 64);
}

TEST_F(EngineRoomTest, HandsOverEveryManner) {
  for (int manner = 0; manner < 16; ++manner) {
    open_.set_nonce(100 + manner);
    open_.set_await_offer(manner & 1);
    open_.set_split_layers(manner & 2);
    open_.set_empty_last_chunk(manner & 4);
    open_.set_prefix_tokens(manner & 8 ? 53 : 0);
    Run();
    EXPECT_EQ(source_room_->report().error(), "");
    EXPECT_EQ(target_room_->report().error(), "");
    EXPECT_EQ(target_room_->report().pages_bad(), 0u) << manner;
    source_memory_->Free(source_room_->share());
    target_memory_->Free(target_room_->share());
  }
  EXPECT_EQ(book_.Check().pages_bad(), 0u);
}

TEST_F(EngineRoomTest, NoticesALayerThatDidNotArrive) {
  hub_.lost_layer = 5;
  Run();
  EXPECT_EQ(target_room_->report().pages_bad(), 2u * 6);
  ASSERT_EQ(target_room_->report().mismatches_size(), kMismatchesReported);
  const v1::Mismatch& first = target_room_->report().mismatches(0);
  EXPECT_EQ(first.room_id(), 7u);
  EXPECT_EQ(first.layer(), 5u);
  EXPECT_EQ(first.token(), 11u) << "the prefix was there before";
  EXPECT_FALSE(target_room_->content_is_known());
}

TEST_F(EngineRoomTest, NoticesTheByteThatItCorruptsItself) {
  open_.set_corrupt(true);
  Run();
  EXPECT_EQ(target_room_->report().pages_bad(), 1u);
  ASSERT_EQ(target_room_->report().mismatches_size(), 1);
  EXPECT_EQ(target_room_->report().mismatches(0).token(), 52u);
}

TEST_F(EngineRoomTest, NoticesAWriteOverThePrefix) {
  hub_.before_landed = [this] {
    int32_t first_page = target_room_->share().groups[0].pages[0];
    *TargetView(4).UnitAt(first_page, 1, 0) ^= std::byte{1};  // token 9
  };
  Run();
  EXPECT_EQ(target_room_->report().pages_bad(), 1u);
}

TEST_F(EngineRoomTest, NoticesAWriteBehindTheLastToken) {
  hub_.before_landed = [this] {
    int32_t last_page = target_room_->share().groups[0].pages.back();
    *TargetView(4).UnitAt(last_page, 5, 0) ^= std::byte{1};  // 53 = 6 * 8 + 5
  };
  Run();
  EXPECT_EQ(target_room_->report().pages_bad(), 1u);
}

TEST_F(EngineRoomTest, NoticesAWriteToAPageThatWasNotOffered) {
  hub_.before_landed = [this] { *TargetView(9).UnitAt(7, 0, 0) ^= std::byte{4}; };
  Run();
  EXPECT_EQ(target_room_->report().pages_bad(), 0u);
  v1::FinalReport rest = book_.Check();
  EXPECT_EQ(rest.pages_bad(), 1u);
  ASSERT_EQ(rest.mismatches_size(), 1);
  EXPECT_TRUE(rest.mismatches(0).canary());
  EXPECT_EQ(rest.mismatches(0).page(), 7) << "a guard";
}

TEST_F(EngineRoomTest, NoticesAWriteAfterLanded) {
  Run();
  *TargetView(9).UnitAt(target_room_->share().groups[0].pages[2], 0, 0) ^= std::byte{4};
  v1::FinalReport rest = book_.Check();
  EXPECT_EQ(rest.pages_bad(), 1u);
  EXPECT_FALSE(rest.mismatches(0).canary());
  EXPECT_EQ(rest.mismatches(0).room_nonce(), 3u);
}

TEST_F(EngineRoomTest, PassesTheCauseOfAFailureOn) {
  hub_.failure = Error(Reason::kPeerLost, "gone", RankRef{"p", {0, 1, 0, 0}});
  Run();
  EXPECT_THAT(target_room_->report().error(), HasSubstr("PEER_LOST at p[dp0/pp1/cp0/tp0]: gone"));
  EXPECT_TRUE(target_room_->may_reuse_pages());
}

TEST_F(EngineRoomTest, KeepsPagesThatAreNotReleased) {
  hub_.failure = Error(Reason::kPeerLost, "gone");
  hub_.released = false;
  TargetRoom room(target_.get(), target_memory_.get(), open_, *target_memory_->Allocate(11, 53));
  for (int i = 0; i < 100; ++i) room.Step();
  EXPECT_FALSE(room.finished());
  hub_.released = true;
  for (int i = 0; i < 100; ++i) room.Step();
  EXPECT_TRUE(room.finished());
}

class WindowRoomTest : public EngineRoomTest {
 protected:
  WindowRoomTest() : EngineRoomTest("gqa-window", "cp2:page") {}
};

TEST_F(WindowRoomTest, HandsOverTwoPageGroups) {
  Run();
  EXPECT_EQ(target_room_->report().error(), "");
  EXPECT_EQ(target_room_->report().pages_bad(), 0u);
  EXPECT_EQ(book_.Check().pages_bad(), 0u);
}

TEST(PlanChunks, CutsTokensAndLayers) {
  v1::OpenRoom open;
  open.set_total_tokens(10);
  open.set_chunk_tokens(6);
  EXPECT_THAT(PlanChunks(open, 2, 5), ElementsAre(PlannedChunk{2, 8, 0, UINT32_MAX, false},
                                                  PlannedChunk{8, 10, 0, UINT32_MAX, true}));
  open.set_empty_last_chunk(true);
  open.set_split_layers(true);
  EXPECT_THAT(PlanChunks(open, 6, 5), ElementsAre(PlannedChunk{6, 10, 0, 5, false},
                                                  PlannedChunk{6, 10, 5, UINT32_MAX, false},
                                                  PlannedChunk{10, 10, 0, UINT32_MAX, true}));
}

TEST(PlanChunks, OfAFullPrefixHitIsOneEmptyChunk) {
  v1::OpenRoom open;
  open.set_total_tokens(10);
  EXPECT_THAT(PlanChunks(open, 10, 5), ElementsAre(PlannedChunk{10, 10, 0, UINT32_MAX, true}));
}

}  // namespace
}  // namespace baton::demo

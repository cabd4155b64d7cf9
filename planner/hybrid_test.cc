// Hybrid models: page groups that overlay each other in one pool, chunks of some groups, rooms
// without a STATE row.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/reason.h"
#include "planner/cursor.h"
#include "planner/layout.h"
#include "planner/plan.h"

namespace baton::planner {
namespace {

// Two page groups whose layers lie in the same pool, and a STATE tensor on top of both.
ServerSpec Hybrid() {
  ServerSpec spec;
  spec.stages = {{0, 1, 2}};
  spec.page_groups = {{4, 0}, {4, 8}};
  for (uint32_t group : {0u, 1u}) {
    TensorSpec tensor;
    tensor.name = group == 0 ? "full" : "window";
    tensor.layers = {group};
    tensor.page_group = group;
    tensor.dtype = "u8";
    tensor.head_bytes = 16;
    spec.tensors.push_back(tensor);
  }
  TensorSpec state;
  state.kind = Kind::kState;
  state.layers = {2};
  state.dtype = "u8";
  state.head_bytes = 64;
  spec.tensors.push_back(state);
  return spec;
}

RankLayout Overlaid() {
  RankLayout layout;
  for (uint32_t tensor = 0; tensor < 3; ++tensor) {
    BufferLayout buffer;
    buffer.tensor = tensor;
    buffer.layer = tensor;
    buffer.pages = 8;
    buffer.page_stride = 64;
    buffer.entry_stride = tensor == 2 ? 64 : 16;
    buffer.head_stride = buffer.entry_stride;
    layout.buffers.push_back(buffer);
  }
  return layout;
}

TEST(ValidateLayout, LetsPageGroupsThatOwnPagesByTurnsOverlayEachOther) {
  const ServerSpec spec = Hybrid();
  ASSERT_TRUE(ValidateSpec(spec).ok()) << ValidateSpec(spec);
  EXPECT_TRUE(ValidateLayout(spec, {}, Overlaid(), {512}).ok())
      << ValidateLayout(spec, {}, Overlaid(), {512});
  // In part, too.
  RankLayout shifted = Overlaid();
  shifted.buffers[1].offset = 64;
  shifted.buffers[1].pages = 7;
  EXPECT_TRUE(ValidateLayout(spec, {}, shifted, {512}).ok());
  // Past the region nothing may lie, overlaid or not.
  EXPECT_FALSE(ValidateLayout(spec, {}, Overlaid(), {511}).ok());
}

TEST(ValidateLayout, RefusesAnOverlapInsideOnePageGroupAndNamesBoth) {
  ServerSpec spec = Hybrid();
  spec.tensors[1].page_group = 0;
  const std::string why(ValidateLayout(spec, {}, Overlaid(), {512}).message());
  EXPECT_NE(why.find("overlap in region 0"), std::string::npos) << why;
  EXPECT_NE(why.find("full"), std::string::npos) << why;
  EXPECT_NE(why.find("window"), std::string::npos) << why;
}

TEST(ValidateLayout, RefusesAnOverlapInsideOneStateTensorAndWithAux) {
  ServerSpec spec = Hybrid();
  spec.tensors[2].layers = {1, 2};
  RankLayout layout = Overlaid();
  layout.buffers.push_back(layout.buffers[2]);
  layout.buffers[3].layer = 1;
  EXPECT_FALSE(ValidateLayout(spec, {}, layout, {512}).ok());
  layout.buffers[3].offset = 512;
  EXPECT_TRUE(ValidateLayout(spec, {}, layout, {1024}).ok());

  spec = Hybrid();
  spec.tensors[2].kind = Kind::kAux;
  spec.tensors[2].layers = {0};
  layout = Overlaid();
  layout.buffers[2].layer = 0;
  EXPECT_FALSE(ValidateLayout(spec, {}, layout, {512}).ok());
}

TEST(Cursor, MovesTheGroupsOfAChunkAndTheRowsThatBothSidesHave) {
  const ServerSpec spec = Hybrid();
  const auto plan = PlanPair(spec, {}, Overlaid(), spec, {}, Overlaid(), {});
  ASSERT_TRUE(plan.ok()) << plan.status();
  const RoomTokens tokens{12, 0};
  const std::vector<int32_t> full = {0, 1, 2}, window = {3, 4};
  auto bytes = [&](uint16_t groups, bool last, uint32_t source_row, uint32_t target_row) {
    const std::vector<uint32_t> source_rows = {source_row}, target_rows = {target_row};
    SidePages source, target;
    source.pages = {full, window};
    source.state_rows = source_rows;
    target.pages = source.pages;
    target.state_rows = target_rows;
    const ChunkRange chunk{0, 12, 0, UINT32_MAX, last, groups};
    const uint64_t both = Cursor(&*plan, tokens, chunk, &source, &target).bytes_total();
    if (source_row == target_row) {
      EXPECT_EQ(Cursor(&*plan, tokens, chunk, &source, nullptr).bytes_total(), both);
      EXPECT_EQ(Cursor(&*plan, tokens, chunk, nullptr, &target).bytes_total(), both);
    }
    return both;
  };
  EXPECT_EQ(bytes(1, false, 5, 5), 12u * 16);
  EXPECT_EQ(bytes(2, false, 5, 5), 8u * 16);
  EXPECT_EQ(bytes(kAllGroups, false, 5, 5), 20u * 16);
  EXPECT_EQ(bytes(0, true, 5, 5), 64u);
  EXPECT_EQ(bytes(0, true, kNoRow, kNoRow), 0u);
  EXPECT_EQ(bytes(kAllGroups, true, 5, 5), RoomBytes(*plan, tokens));
  const std::vector<uint32_t> none = {kNoRow}, some = {5};
  EXPECT_EQ(bytes(kAllGroups, true, kNoRow, kNoRow), RoomBytes(*plan, tokens, none));
  EXPECT_TRUE(CheckSameRows(*plan, none, none).ok());
  EXPECT_TRUE(CheckSameRows(*plan, some, some).ok());
  EXPECT_EQ(ReasonOf(CheckSameRows(*plan, some, none)), Reason::kBadChunk);
  EXPECT_EQ(ReasonOf(CheckSameRows(*plan, none, some)), Reason::kBadChunk);
}

TEST(ValidatePages, AsksNothingOfGroupsThatAreLeftOutAndTakesNoRowForARow) {
  const ServerSpec spec = Hybrid();
  const std::vector<int32_t> full = {0, 1, 2};
  const std::vector<uint32_t> none = {kNoRow}, beyond = {8};
  SidePages pages;
  pages.pages = {full, {}};
  pages.state_rows = none;
  EXPECT_TRUE(ValidatePages(spec, {}, Overlaid(), pages, 0, 12, 12, true, 1).ok());
  EXPECT_FALSE(ValidatePages(spec, {}, Overlaid(), pages, 0, 12, 12, true, 3).ok());
  pages.state_rows = beyond;
  EXPECT_FALSE(ValidatePages(spec, {}, Overlaid(), pages, 0, 12, 12, true, 1).ok());
}

}  // namespace
}  // namespace baton::planner

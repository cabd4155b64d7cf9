// A cursor allocates nothing, from its construction to the last run: it works between "ready" and
// "posted".
#include <gtest/gtest.h>

#include <vector>

#include "planner/cursor.h"
#include "planner/layout_builder.h"
#include "planner/plan.h"
#include "tests/support/counted_allocations.h"

namespace baton::planner {
namespace {

using test::allocations;
using test::counted;

constexpr uint64_t kTokens = 640;

ServerSpec Spec(RankCoord sizes, CpSharding sharding, uint32_t page_tokens) {
  ServerSpec spec;
  spec.sizes = sizes;
  spec.cp_sharding = sharding;
  spec.stages = {{0, 1, 2}};
  spec.page_groups = {{page_tokens, 0}};
  for (Kind kind : {Kind::kK, Kind::kV}) {
    TensorSpec tensor;
    tensor.kind = kind;
    tensor.layers = {0, 1, 2};
    tensor.dtype = "bf16";
    tensor.heads = 4;
    tensor.head_bytes = 256;
    tensor.tp_sharded = true;
    spec.tensors.push_back(tensor);
  }
  return spec;
}

struct Side {
  ServerSpec spec;
  BuiltLayout built;
  std::vector<int32_t> list;
  SidePages pages;

  Side(ServerSpec with, PageStyle style) : spec(std::move(with)) {
    LayoutOptions options;
    options.pages = {1024};
    options.page_style = style;
    built = *BuildLayout(spec, {0, 0, 0, 0}, options);
    list.resize(PagesNeeded(spec, {0, 0, 0, 0}, 0, 0, kTokens, kTokens));
    for (size_t i = 0; i < list.size(); ++i) list[i] = static_cast<int32_t>(i * 7 % 1024);
    pages.pages = {list};
  }
};

// Runs of the whole room, walked once with both sides known and once with each alone.
uint64_t RunsOf(const Side& source, const Side& target) {
  const auto plan = PlanPair(source.spec, {0, 0, 0, 0}, source.built.layout, target.spec,
                             {0, 0, 0, 0}, target.built.layout, {});
  EXPECT_TRUE(plan.ok()) << plan.status();
  CopyRun runs[32];
  uint64_t count = 0;
  counted = true;
  for (int known = 0; known < 3; ++known) {
    Cursor cursor(&*plan, {kTokens, 3}, {0, kTokens, 0, 2, true},
                  known == 2 ? nullptr : &source.pages, known == 1 ? nullptr : &target.pages);
    while (const size_t n = cursor.Next(absl::MakeSpan(runs))) count += n;
  }
  counted = false;
  return count;
}

TEST(CursorAllocations, TheCounterCounts) {
  counted = true;
  std::string* proof = new std::string(100, 'x');
  counted = false;
  delete proof;
  EXPECT_GT(allocations, 0);
  allocations = 0;
}

TEST(CursorAllocations, AreNoneForAnyShardingOrStyle) {
  constexpr CpSharding kShardings[] = {CpSharding::kReplicated,       CpSharding::kContiguous,
                                       CpSharding::kInterleavedToken, CpSharding::kInterleavedPage,
                                       CpSharding::kZigzag,           CpSharding::kLayerSplit};
  for (CpSharding a : kShardings) {
    for (CpSharding b : kShardings) {
      for (PageStyle style : {PageStyle::kTokenMajor, PageStyle::kHeadMajor}) {
        const Side source(Spec({1, 1, 2, 1}, a, 64), style);
        const Side target(Spec({1, 1, 3, 2}, b, 16), PageStyle::kTokenMajor);
        allocations = 0;
        EXPECT_GT(RunsOf(source, target), 0u);
        EXPECT_EQ(allocations, 0) << static_cast<int>(a) << " to " << static_cast<int>(b);
      }
    }
  }
}

}  // namespace
}  // namespace baton::planner

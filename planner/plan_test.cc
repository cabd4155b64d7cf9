#include "planner/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "common/reason.h"
#include "planner/cursor.h"
#include "planner/descriptor.h"
#include "planner/layout_builder.h"
#include "planner/layout_proto.h"

namespace baton::planner {
namespace {

using testing::Test;

std::vector<uint32_t> Layers(uint32_t begin, uint32_t end) {
  std::vector<uint32_t> layers(end - begin);
  std::iota(layers.begin(), layers.end(), begin);
  return layers;
}

// K and V of `heads` heads in 8 layers.
ServerSpec Gqa(RankCoord sizes, uint32_t heads = 8) {
  ServerSpec spec;
  spec.sizes = sizes;
  for (uint32_t pp = 0; pp < sizes.pp; ++pp) {
    spec.stages.push_back(Layers(8 * pp / sizes.pp, 8 * (pp + 1) / sizes.pp));
  }
  spec.page_groups = {{4, 0}};
  for (Kind kind : {Kind::kK, Kind::kV}) {
    TensorSpec tensor;
    tensor.kind = kind;
    tensor.layers = Layers(0, 8);
    tensor.dtype = "bf16";
    tensor.heads = heads;
    tensor.head_bytes = 16;
    tensor.tp_sharded = true;
    spec.tensors.push_back(tensor);
  }
  return spec;
}

BuiltLayout Built(const ServerSpec& spec, const RankCoord& coord, MixStyle mix = MixStyle::kNone) {
  LayoutOptions options;
  options.pages.assign(spec.page_groups.size(), 16);
  options.mix_style = mix;
  auto built = BuildLayout(spec, coord, options);
  EXPECT_TRUE(built.ok()) << built.status();
  return *std::move(built);
}

PairPlan Plan(const ServerSpec& source, const ServerSpec& target, RoutePolicy policy = {}) {
  auto plan =
      PlanPair(source, {}, Built(source, {}).layout, target, {}, Built(target, {}).layout, policy);
  EXPECT_TRUE(plan.ok()) << plan.status();
  return *std::move(plan);
}

std::string WhyBad(const ServerSpec& spec) { return std::string(ValidateSpec(spec).message()); }

TEST(ValidateSpec, NamesTheFieldAndTheValue) {
  EXPECT_TRUE(ValidateSpec(Gqa({1, 2, 2, 2})).ok());
  ServerSpec spec = Gqa({1, 1, 1, 1});
  spec.sizes.tp = 0;
  EXPECT_EQ(WhyBad(spec), "sizes.tp: 0 is not in [1, 4096]");
  spec = Gqa({1, 1, 1, 1});
  spec.sizes = {4096, 4096, 4096, 4096};
  EXPECT_NE(WhyBad(spec).find("ranks"), std::string::npos);
  spec = Gqa({1, 2, 1, 1});
  spec.stages[1].push_back(0);
  EXPECT_EQ(WhyBad(spec), "stages[1].layers: layer 0 is there twice");
  spec = Gqa({1, 1, 1, 1});
  spec.tensors[1].layers.push_back(8);
  EXPECT_EQ(WhyBad(spec), "tensors[1].layers: layer 8 is in no stage");
  spec = Gqa({1, 1, 1, 1});
  spec.tensors[1].kind = Kind::kK;
  EXPECT_EQ(WhyBad(spec), "tensors[1]: a second tensor K: give it a name");
  spec = Gqa({1, 1, 1, 1});
  spec.tensors[0].tokens_per_entry = 3;
  EXPECT_EQ(WhyBad(spec), "tensors[0].tokens_per_entry: 3 does not divide page_tokens 4");
  spec = Gqa({1, 1, 1, 1});
  spec.page_groups.clear();
  EXPECT_EQ(WhyBad(spec), "tensors[0].page_group: 0, but there are 0 page_groups");
  EXPECT_EQ(ReasonOf(ValidateSpec(spec)), Reason::kBadSpec);
}

TEST(ValidateSpec, RefusesHeadsAndPagesThatAreBothSplitOverTp) {
  ServerSpec spec = Gqa({1, 1, 1, 2});
  spec.cp_sharding = CpSharding::kInterleavedPageTp;
  EXPECT_EQ(WhyBad(spec),
            "tensors[0].tp_sharded: its heads cannot be split over tp: cp_sharding "
            "INTERLEAVED_PAGE_TP splits its pages over tp");
  for (TensorSpec& tensor : spec.tensors) tensor.tp_sharded = false;
  EXPECT_TRUE(ValidateSpec(spec).ok());
}

TEST(ValidateSpec, LetsTheLastStageAloneSendNothingButAux) {
  ServerSpec spec = Gqa({1, 2, 1, 1});
  spec.tensors[1].last_stage = true;
  EXPECT_EQ(WhyBad(spec), "tensors[1].last_stage: only AUX can be sent by the last stage alone");
}

TEST(CheckCompatible, NamesTheFieldAndBothValues) {
  const ServerSpec source = Gqa({1, 1, 1, 2});
  const auto why = [&](const ServerSpec& target) {
    const absl::Status status = CheckCompatible(source, target);
    EXPECT_EQ(ReasonOf(status), Reason::kIncompatible);
    return std::string(status.message());
  };
  ServerSpec target = source;
  target.tensors[0].dtype = "fp8";
  EXPECT_EQ(why(target), "tensor K: dtype: source has bf16, target has fp8");
  target = source;
  target.tensors[1].head_bytes = 32;
  EXPECT_EQ(why(target), "tensor V: head_bytes: source has 16, target has 32");
  target = source;
  target.tensors[1].layers.pop_back();
  EXPECT_EQ(why(target),
            "tensor V: layers: source has 8 layers, alone [7], target has 7 layers, alone []");
  target = source;
  target.page_groups[0].window_tokens = 64;
  EXPECT_EQ(why(target), "tensor K: window_tokens: source has 0, target has 64");
  target = source;
  target.tensors.pop_back();
  EXPECT_EQ(why(target), "tensor V: source has it, target has none");
}

TEST(CheckCompatible, LeavesADraftModelThatOneSideLacksAtHome) {
  const ServerSpec source = Gqa({1, 1, 1, 1});
  ServerSpec target = source;
  TensorSpec draft = target.tensors[0];
  draft.name = "draft";
  draft.draft = true;
  draft.layers = {8};
  target.stages[0].push_back(8);
  target.tensors.push_back(draft);
  EXPECT_TRUE(CheckCompatible(source, target).ok());
  EXPECT_TRUE(CheckCompatible(target, source).ok());
  EXPECT_EQ(RoomBytes(Plan(source, target), {16, 0}), RoomBytes(Plan(source, source), {16, 0}));
  // The same layer described as an ordinary one on the other side is a contradiction.
  ServerSpec contrary = source;
  contrary.stages[0].push_back(8);
  contrary.tensors[0].layers.push_back(8);
  contrary.tensors[1].layers.push_back(8);
  target.tensors[2].layers = {8};
  const absl::Status status = CheckCompatible(contrary, target);
  EXPECT_EQ(ReasonOf(status), Reason::kIncompatible) << status;
}

TEST(ValidateLayout, AcceptsEveryBuiltStyle) {
  const ServerSpec spec = Gqa({1, 2, 1, 3});
  for (MixStyle mix : {MixStyle::kNone, MixStyle::kPage, MixStyle::kEntry, MixStyle::kLayers}) {
    const BuiltLayout built = Built(spec, {0, 1, 0, 2}, mix);
    EXPECT_TRUE(ValidateLayout(spec, {0, 1, 0, 2}, built.layout, built.region_sizes).ok());
  }
}

TEST(ValidateLayout, RefusesBuffersThatOverlapLeaveTheRegionOrAreNotTheRanks) {
  const ServerSpec spec = Gqa({1, 2, 1, 1});
  const RankCoord coord{0, 1, 0, 0};
  const BuiltLayout good = Built(spec, coord, MixStyle::kLayers);
  const auto why = [&](const BuiltLayout& built) {
    const absl::Status s = ValidateLayout(spec, coord, built.layout, built.region_sizes);
    EXPECT_EQ(ReasonOf(s), Reason::kBadSpec);
    return std::string(s.message());
  };
  BuiltLayout bad = good;
  bad.layout.buffers[2].offset -= 1;
  EXPECT_NE(why(bad).find("overlap"), std::string::npos) << why(bad);
  bad = good;
  bad.region_sizes[0] -= 1;
  EXPECT_NE(why(bad).find("region 0 has"), std::string::npos) << why(bad);
  bad = good;
  bad.layout.buffers[0].layer = 0;
  EXPECT_NE(why(bad).find("does not own layer 0"), std::string::npos) << why(bad);
  bad = good;
  bad.layout.buffers.pop_back();
  EXPECT_NE(why(bad).find("it has 7 buffers, but the rank owns 8"), std::string::npos) << why(bad);
  bad = good;
  bad.layout.buffers[0].entry_stride = 1;
  EXPECT_NE(why(bad).find("strides"), std::string::npos) << why(bad);
  bad = good;
  bad.layout.buffers[0].page_stride = ~uint64_t{0};
  EXPECT_NE(why(bad).find("2^48"), std::string::npos) << why(bad);
  EXPECT_EQ(ReasonOf(ValidateLayout(spec, {0, 2, 0, 0}, good.layout, good.region_sizes)),
            Reason::kBadCoord);
}

TEST(ValidatePages, NamesGroupIndexAndValue) {
  const ServerSpec spec = Gqa({1, 1, 1, 1});
  const BuiltLayout built = Built(spec, {});
  const auto check = [&](std::vector<int32_t> list, uint64_t begin, uint64_t end) {
    SidePages pages;
    pages.first_token = begin;
    pages.pages = {list};
    return std::string(
        ValidatePages(spec, {}, built.layout, pages, begin, end, 10, true).message());
  };
  EXPECT_EQ(check({0, 1, 15}, 0, 10), "");
  EXPECT_EQ(check({1, 15}, 5, 10), "");
  EXPECT_EQ(check({0, 1}, 0, 10),
            "dp0/pp0/cp0/tp0: page group 0 has 2 pages, but tokens [0, 10) need 3");
  EXPECT_EQ(check({0, 16, 2}, 0, 10),
            "dp0/pp0/cp0/tp0: page group 0, entry 1: page 16 of a buffer of 16");
  EXPECT_EQ(check({0, -1, 2}, 0, 10),
            "dp0/pp0/cp0/tp0: page group 0, entry 1: page -1 of a buffer of 16");
  EXPECT_NE(check({0, 1, 2}, 0, 11), "");
}

TEST(Spread, BalancesBytesToWithinOnePageOverEqualHolders) {
  for (uint32_t cp : {2u, 3u, 5u, 8u}) {
    for (uint64_t tokens : {1u, 4u, 7u, 40u, 57u}) {
      for (uint64_t prefix : {uint64_t{0}, tokens / 2}) {
        const ServerSpec source = Gqa({1, 1, cp, 2});
        const ServerSpec target = Gqa({1, 1, 1, 2});
        uint64_t least = UINT64_MAX;
        uint64_t most = 0;
        uint64_t sum = 0;
        for (uint32_t c = 0; c < cp; ++c) {
          const auto plan = PlanPair(source, {0, 0, c, 1}, Built(source, {0, 0, c, 1}).layout,
                                     target, {0, 0, 0, 1}, Built(target, {0, 0, 0, 1}).layout,
                                     {HolderPolicy::kSpread, HolderPolicy::kSpread});
          ASSERT_TRUE(plan.ok());
          const uint64_t bytes = RoomBytes(*plan, {tokens, prefix});
          least = std::min(least, bytes);
          most = std::max(most, bytes);
          sum += bytes;
        }
        EXPECT_EQ(sum, (tokens - prefix) * 4 * 16 * 16);
        // A page of one buffer: 4 tokens of 4 heads of 16 bytes.
        EXPECT_LE(most - least, 4u * 4 * 16) << cp << " " << tokens << " " << prefix;
      }
    }
  }
}

TEST(Fusing, MergesAPageOfAllLayersIntoOneRun) {
  const ServerSpec spec = Gqa({1, 1, 1, 1});
  const BuiltLayout built = Built(spec, {}, MixStyle::kLayers);
  const auto plan = PlanPair(spec, {}, built.layout, spec, {}, built.layout, {});
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->copies.size(), 1u);
  const std::vector<int32_t> from{3, 9};
  const std::vector<int32_t> to{5, 1};
  SidePages source;
  source.pages = {from};
  SidePages target;
  target.pages = {to};
  Cursor cursor(&*plan, {8, 0}, {0, 8, 0, UINT32_MAX, true}, &source, &target);
  CopyRun runs[8];
  EXPECT_EQ(cursor.Next(absl::MakeSpan(runs)), 2u);
  EXPECT_EQ(runs[0].length, 8u * 2 * 4 * 8 * 16);
}

TEST(SameRouteBothSides, TheHashIsAFixedFunctionOfItsInputs) {
  // Part of the protocol: a change here is a change of the planner version.
  EXPECT_EQ(Plan(Gqa({1, 1, 1, 2}), Gqa({1, 1, 1, 4})).hash, 1694391014972651254u);
}

TEST(SameRouteBothSides, EveryInputChangesTheHash) {
  const ServerSpec spec = Gqa({1, 1, 1, 1});
  const RankLayout layout = Built(spec, {}).layout;
  std::vector<uint64_t> hashes;
  const auto add = [&](const ServerSpec& source, const RankLayout& from, const ServerSpec& target,
                       const RankLayout& to, RoutePolicy policy) {
    const auto plan = PlanPair(source, {}, from, target, {}, to, policy);
    ASSERT_TRUE(plan.ok()) << plan.status();
    hashes.push_back(plan->hash);
  };
  add(spec, layout, spec, layout, {});
  add(spec, layout, spec, layout, {HolderPolicy::kSpread, HolderPolicy::kOne});
  add(spec, layout, spec, layout, {HolderPolicy::kOne, HolderPolicy::kSpread});
  RankLayout moved = layout;
  moved.buffers[0].region = 1;
  add(spec, moved, spec, layout, {});
  add(spec, layout, spec, moved, {});
  ServerSpec longer = spec;
  longer.stages[0].push_back(8);  // a layer without a cache
  add(longer, layout, spec, layout, {});
  add(spec, layout, longer, layout, {});
  ServerSpec wider = spec;
  wider.sizes.dp = 2;
  add(wider, layout, spec, layout, {});
  ServerSpec cp = spec;
  cp.cp_sharding = CpSharding::kZigzag;
  add(spec, layout, cp, layout, {});
  std::sort(hashes.begin(), hashes.end());
  EXPECT_EQ(std::unique(hashes.begin(), hashes.end()), hashes.end());
}

TEST(LayoutProto, KeepsEveryField) {
  ServerSpec spec = Gqa({1, 2, 3, 4});
  spec.cp_sharding = CpSharding::kZigzag;
  spec.page_groups.push_back({8, 100});
  spec.tensors[1].name = "x";
  spec.tensors[1].draft = true;
  spec.tensors[1].sub_blocks = {1, 2};
  spec.tensors[1].tokens_per_entry = 4;
  const auto back = FromProto(ToProto(spec));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(*back, spec);
  const RankLayout layout = Built(Gqa({1, 1, 1, 1}), {}, MixStyle::kPage).layout;
  EXPECT_EQ(*FromProto(ToProto(layout)), layout);
  const RoutePolicy policy{HolderPolicy::kSpread, HolderPolicy::kOne};
  EXPECT_EQ(*FromProto(ToProto(policy)), policy);
}

TEST(LayoutProto, RefusesUnknownNumbersAndEndlessLists) {
  v1::ServerSpec message = ToProto(Gqa({1, 1, 1, 1}));
  message.mutable_tensors(0)->set_kind(static_cast<v1::Kind>(99));
  EXPECT_EQ(ReasonOf(FromProto(message).status()), Reason::kBadSpec);
  message = ToProto(Gqa({1, 1, 1, 1}));
  message.set_cp_sharding(static_cast<v1::CpSharding>(0));
  EXPECT_EQ(ReasonOf(FromProto(message).status()), Reason::kBadSpec);
  message = ToProto(Gqa({1, 1, 1, 1}));
  for (int i = 0; i < 5000; ++i) message.mutable_stages(0)->add_layers(i);
  EXPECT_EQ(ReasonOf(FromProto(message).status()), Reason::kBadSpec);
  v1::RankLayout layout;
  for (int i = 0; i < 9000; ++i) layout.add_buffers();
  EXPECT_EQ(ReasonOf(FromProto(layout).status()), Reason::kBadSpec);
}

}  // namespace
}  // namespace baton::planner

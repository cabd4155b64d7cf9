// The worked examples of docs/planner-worked-examples.md as golden tables.
#include <gtest/gtest.h>

#include <numeric>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "planner/cursor.h"
#include "planner/layout_builder.h"
#include "planner/plan.h"

namespace baton::planner {
namespace {

enum Model { kGqa8, kGqa4, kMla, kHybrid };

ServerSpec Spec(Model model, RankCoord sizes, CpSharding sharding = CpSharding::kReplicated) {
  constexpr uint32_t kLayers = 16;
  std::vector<uint32_t> layers(kLayers);
  std::iota(layers.begin(), layers.end(), 0u);
  ServerSpec spec;
  spec.sizes = sizes;
  spec.cp_sharding = sharding;
  for (uint32_t pp = 0; pp < sizes.pp; ++pp) {
    spec.stages.emplace_back(layers.begin() + kLayers * pp / sizes.pp,
                             layers.begin() + kLayers * (pp + 1) / sizes.pp);
  }
  spec.page_groups = {{64, 0}};
  const auto add = [&](Kind kind, uint32_t heads, bool sharded) {
    TensorSpec tensor;
    tensor.kind = kind;
    tensor.layers = layers;
    tensor.dtype = "bf16";
    tensor.heads = heads;
    tensor.head_bytes = 256;
    tensor.tp_sharded = sharded;
    spec.tensors.push_back(tensor);
  };
  switch (model) {
    case kGqa8:
    case kGqa4:
      add(Kind::kK, model == kGqa8 ? 8 : 4, true);
      add(Kind::kV, model == kGqa8 ? 8 : 4, true);
      break;
    case kHybrid:
      add(Kind::kState, 8, true);
      [[fallthrough]];
    case kMla:
      add(Kind::kLatent, 1, false);
      break;
  }
  return spec;
}

struct Example {
  const char* number;
  Model model;
  RankCoord prefill;
  RankCoord decode;
  RankCoord target;
  const char* one;     // sources as pp.cp.tp
  const char* spread;  // both policies
  CpSharding sharding = CpSharding::kReplicated;
};

std::string Grid(uint32_t pp, uint32_t cp, uint32_t tp) {
  std::vector<std::string> all;
  for (uint32_t p = 0; p < pp; ++p) {
    for (uint32_t c = 0; c < cp; ++c) {
      for (uint32_t t = 0; t < tp; ++t) all.push_back(absl::StrCat(p, ".", c, ".", t));
    }
  }
  return absl::StrJoin(all, " ");
}

std::string Sources(const Example& e, HolderPolicy holder) {
  const auto sources = SourcesOf(Spec(e.model, e.prefill, e.sharding), 0, Spec(e.model, e.decode),
                                 e.target, {holder, holder}, {4096, 0});
  return absl::StrJoin(sources, " ", [](std::string* out, const RankCoord& c) {
    absl::StrAppend(out, c.pp, ".", c.cp, ".", c.tp);
  });
}

void ExpectSources(absl::Span<const Example> examples) {
  for (const Example& e : examples) {
    EXPECT_EQ(Sources(e, HolderPolicy::kOne), e.one) << e.number;
    EXPECT_EQ(Sources(e, HolderPolicy::kSpread), e.spread) << e.number;
  }
}

TEST(WorkedExamples, SourcesOfEachTarget) {
  const std::string grid8 = Grid(1, 8, 1);
  const std::string tp8 = Grid(1, 1, 8);
  const std::string pp2cp4tp2 = Grid(2, 4, 2);
  const std::string pp2cp8 = Grid(2, 8, 1);
  const Example examples[] = {
      {"1", kGqa8, {1, 1, 1, 4}, {1, 1, 1, 4}, {0, 0, 0, 3}, "0.0.3", "0.0.3"},
      {"1 MLA", kMla, {1, 1, 1, 4}, {1, 1, 1, 4}, {0, 0, 0, 3}, "0.0.3", "0.0.0 0.0.1 0.0.2 0.0.3"},
      {"2", kGqa8, {1, 1, 1, 2}, {1, 1, 1, 4}, {0, 0, 0, 1}, "0.0.0", "0.0.0"},
      {"2", kGqa8, {1, 1, 1, 2}, {1, 1, 1, 4}, {0, 0, 0, 2}, "0.0.1", "0.0.1"},
      {"3", kGqa8, {1, 1, 1, 4}, {1, 1, 1, 2}, {0, 0, 0, 0}, "0.0.0 0.0.1", "0.0.0 0.0.1"},
      {"3", kGqa8, {1, 1, 1, 4}, {1, 1, 1, 2}, {0, 0, 0, 1}, "0.0.2 0.0.3", "0.0.2 0.0.3"},
      {"4", kMla, {1, 1, 1, 4}, {1, 1, 1, 2}, {0, 0, 0, 1}, "0.0.2", "0.0.0 0.0.1 0.0.2 0.0.3"},
      {"5", kMla, {1, 1, 1, 8}, {8, 1, 1, 1}, {0, 0, 0, 0}, "0.0.0", tp8.c_str()},
      {"6", kMla, {8, 1, 1, 2}, {16, 1, 1, 1}, {0, 0, 0, 0}, "0.0.0", "0.0.0 0.0.1"},
      {"7, 8", kMla, {1, 1, 8, 1}, {1, 1, 1, 1}, {0, 0, 0, 0}, "0.0.0", grid8.c_str()},
      {"9, 10", kMla, {1, 2, 4, 2}, {1, 1, 1, 1}, {0, 0, 0, 0}, "0.0.0 1.0.0", pp2cp4tp2.c_str()},
      {"11", kMla, {1, 2, 8, 1}, {1, 1, 1, 1}, {0, 0, 0, 0}, "0.0.0 1.0.0", pp2cp8.c_str()},
      {"12", kGqa8, {1, 2, 1, 4}, {1, 1, 1, 4}, {0, 0, 0, 2}, "0.0.2 1.0.2", "0.0.2 1.0.2"},
      {"13", kGqa8, {1, 2, 1, 4}, {1, 2, 1, 4}, {0, 1, 0, 2}, "1.0.2", "1.0.2"},
      {"14", kGqa4, {1, 1, 1, 4}, {1, 1, 1, 8}, {0, 0, 0, 1}, "0.0.0", "0.0.0"},
      {"14", kGqa4, {1, 1, 1, 4}, {1, 1, 1, 8}, {0, 0, 0, 5}, "0.0.2", "0.0.2"},
      {"15",
       kHybrid,
       {1, 1, 1, 4},
       {1, 1, 1, 2},
       {0, 0, 0, 1},
       "0.0.2 0.0.3",
       "0.0.0 0.0.1 0.0.2 0.0.3"},
      {"16", kHybrid, {1, 1, 4, 1}, {1, 1, 1, 1}, {0, 0, 0, 0}, "0.0.0", "0.0.0 0.1.0 0.2.0 0.3.0"},
      {"17", kGqa8, {1, 1, 4, 2}, {1, 1, 1, 4}, {0, 0, 0, 3}, "0.0.1", "0.0.1 0.1.1 0.2.1 0.3.1"},
      {"18",
       kMla,
       {1, 1, 4, 1},
       {1, 1, 1, 1},
       {0, 0, 0, 0},
       "0.0.0 0.1.0 0.2.0 0.3.0",
       "0.0.0 0.1.0 0.2.0 0.3.0",
       CpSharding::kLayerSplit},
      {"P8 to D2, 4 heads",
       kGqa4,
       {1, 1, 1, 8},
       {1, 1, 1, 2},
       {0, 0, 0, 0},
       "0.0.0 0.0.2",
       "0.0.0 0.0.1 0.0.2 0.0.3"},
      {"P8 to D2, 4 heads",
       kGqa4,
       {1, 1, 1, 8},
       {1, 1, 1, 2},
       {0, 0, 0, 1},
       "0.0.4 0.0.6",
       "0.0.4 0.0.5 0.0.6 0.0.7"},
      {"P6 to D4, 8 heads", kGqa8, {1, 1, 1, 6}, {1, 1, 1, 4}, {0, 0, 0, 1}, "0.0.2", "0.0.2"},
  };
  ExpectSources(examples);
}

TEST(WorkedExamples, EveryRankThatHasASharedOutPageSendsIt) {
  const Example examples[] = {
      {"19",
       kMla,
       {1, 1, 1, 4},
       {1, 1, 1, 2},
       {0, 0, 0, 1},
       "0.0.0 0.0.1 0.0.2 0.0.3",
       "0.0.0 0.0.1 0.0.2 0.0.3",
       CpSharding::kInterleavedPageTp},
      {"20",
       kMla,
       {1, 1, 2, 2},
       {1, 1, 1, 1},
       {0, 0, 0, 0},
       "0.0.0 0.0.1 0.1.0 0.1.1",
       "0.0.0 0.0.1 0.1.0 0.1.1",
       CpSharding::kInterleavedPageCpTp},
  };
  ExpectSources(examples);
}

TEST(WorkedExamples, ARankWithNothingToDoKnowsIt) {
  const ServerSpec prefill = Spec(kMla, {1, 1, 8, 1}, CpSharding::kContiguous);
  const ServerSpec decode = Spec(kMla, {1, 1, 1, 1});
  const RoutePolicy spread{HolderPolicy::kSpread, HolderPolicy::kSpread};
  // One page lies on the first of eight cp ranks.
  EXPECT_EQ(SourcesOf(prefill, 0, decode, {}, {}, {64, 0}).size(), 1u);
  EXPECT_EQ(SpareSources(prefill, 0, decode, 0, {}, {64, 0}).size(), 7u);
  // A full prefix hit moves nothing: all are spare. With AUX one source remains.
  EXPECT_EQ(SpareSources(prefill, 0, decode, 0, spread, {512, 512}).size(), 8u);
  ServerSpec prefill_aux = prefill;
  ServerSpec decode_aux = decode;
  TensorSpec aux;
  aux.kind = Kind::kAux;
  aux.layers = {0};
  aux.dtype = "u8";
  aux.head_bytes = 64;
  prefill_aux.tensors.push_back(aux);
  decode_aux.tensors.push_back(aux);
  EXPECT_EQ(SourcesOf(prefill_aux, 0, decode_aux, {}, spread, {512, 512}),
            std::vector<RankCoord>{(RankCoord{0, 0, 0, 0})});
  EXPECT_EQ(SpareSources(prefill_aux, 0, decode_aux, 0, spread, {512, 512}).size(), 7u);
  // One token in 16 layers, shared by 32 equal holders: every second one has a layer.
  const ServerSpec wide = Spec(kMla, {1, 1, 32, 1});
  EXPECT_EQ(SourcesOf(wide, 0, decode, {}, spread, {1, 0}).size(), 16u);
  EXPECT_EQ(SpareSources(wide, 0, decode, 0, spread, {1, 0}).size(), 16u);
}

// What speculative decoding leaves in the last stage alone comes from there.
TEST(WorkedExamples, AuxOfTheLastStageComesFromIt) {
  ServerSpec prefill = Spec(kMla, {1, 4, 1, 2});
  ServerSpec decode = Spec(kMla, {1, 1, 1, 1});
  TensorSpec aux;
  aux.kind = Kind::kAux;
  aux.layers = {0};
  aux.dtype = "u8";
  aux.head_bytes = 64;
  decode.tensors.push_back(aux);
  prefill.tensors.push_back(aux);
  const RoomTokens all_there{512, 512};
  EXPECT_EQ(SourcesOf(prefill, 0, decode, {}, {}, all_there),
            std::vector<RankCoord>{(RankCoord{0, 0, 0, 0})});
  prefill.tensors.back().last_stage = true;
  EXPECT_EQ(SourcesOf(prefill, 0, decode, {}, {}, all_there),
            std::vector<RankCoord>{(RankCoord{0, 3, 0, 0})});
}

// Ten pages over four cp ranks in chunks of 4, 4 and 2 pages.
TEST(WorkedExamples, PagesOfEachChunkOfContiguousShards) {
  const ServerSpec prefill = Spec(kMla, {1, 1, 4, 1}, CpSharding::kContiguous);
  const ServerSpec decode = Spec(kMla, {1, 1, 1, 1});
  const uint64_t expected[4][3] = {{3, 0, 0}, {1, 2, 0}, {0, 2, 0}, {0, 0, 2}};
  const uint64_t chunks[] = {0, 4, 8, 10};
  std::vector<int32_t> list(10);
  std::iota(list.begin(), list.end(), 0);
  SidePages pages;
  pages.pages = {list};
  for (uint32_t c = 0; c < 4; ++c) {
    const RankCoord source{0, 0, c, 0};
    LayoutOptions options;
    options.pages = {16};
    const auto plan = PlanPair(prefill, source, BuildLayout(prefill, source, options)->layout,
                               decode, {}, BuildLayout(decode, {}, options)->layout, {});
    ASSERT_TRUE(plan.ok());
    for (int i = 0; i < 3; ++i) {
      const ChunkRange chunk{chunks[i] * 64, chunks[i + 1] * 64, 0, UINT32_MAX, i == 2};
      const Cursor cursor(&*plan, {640, 0}, chunk, nullptr, &pages);
      EXPECT_EQ(cursor.bytes_total(), expected[c][i] * 64 * 256 * 16) << c << " " << i;
    }
  }
}

}  // namespace
}  // namespace baton::planner

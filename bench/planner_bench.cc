// Figures of the planner: the plan of one pair, the sources of one room, expansion into runs, and
// what a page list takes on the wire. Targets: 100 us, -, 10 ns a run, 20 KB.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <vector>

#include "common/log.h"
#include "planner/cursor.h"
#include "planner/layout_builder.h"
#include "planner/page_list.h"
#include "planner/plan.h"

namespace baton::planner {
namespace {

// Qwen3-235B's shape: 94 layers, 4 KV heads of 128 bf16 elements.
ServerSpec Gqa(RankCoord sizes, uint32_t page_tokens, CpSharding sharding) {
  ServerSpec spec;
  spec.sizes = sizes;
  spec.cp_sharding = sharding;
  std::vector<uint32_t> layers(94);
  std::iota(layers.begin(), layers.end(), 0u);
  for (uint32_t pp = 0; pp < sizes.pp; ++pp) {
    spec.stages.emplace_back(layers.begin() + 94 * pp / sizes.pp,
                             layers.begin() + 94 * (pp + 1) / sizes.pp);
  }
  spec.page_groups = {{page_tokens, 0}};
  for (Kind kind : {Kind::kK, Kind::kV}) {
    TensorSpec tensor;
    tensor.kind = kind;
    tensor.layers = layers;
    tensor.dtype = "bf16";
    tensor.heads = 4;
    tensor.head_bytes = 256;
    tensor.tp_sharded = true;
    spec.tensors.push_back(tensor);
  }
  return spec;
}

BuiltLayout Built(const ServerSpec& spec, const RankCoord& coord, uint32_t pages,
                  PageStyle style = PageStyle::kTokenMajor) {
  LayoutOptions options;
  options.pages = {pages};
  options.page_style = style;
  auto built = BuildLayout(spec, coord, options);
  CHECK(built.ok()) << built.status();
  return *std::move(built);
}

std::vector<int32_t> Shuffled(size_t count, int32_t pool) {
  std::vector<int32_t> pages(pool);
  std::iota(pages.begin(), pages.end(), 0);
  std::mt19937_64 random(1);
  std::shuffle(pages.begin(), pages.end(), random);
  pages.resize(count);
  return pages;
}

RoutePolicy Policy(HolderPolicy holder) { return {holder, holder}; }

void BM_PlanPair(benchmark::State& state) {
  const ServerSpec source = Gqa({1, 2, 8, 8}, 64, CpSharding::kReplicated);
  const ServerSpec target = Gqa({1, 1, 1, 16}, 64, CpSharding::kReplicated);
  const RankCoord from{0, 0, 0, 0};
  const RankCoord to{0, 0, 0, 0};
  const BuiltLayout source_layout = Built(source, from, 4096);
  const BuiltLayout target_layout = Built(target, to, 4096);
  const RoutePolicy policy = Policy(static_cast<HolderPolicy>(state.range(0)));
  for (auto _ : state) {
    auto plan =
        PlanPair(source, from, source_layout.layout, target, to, target_layout.layout, policy);
    CHECK(plan.ok() && !plan->copies.empty());
    benchmark::DoNotOptimize(plan);
  }
}
BENCHMARK(BM_PlanPair)->ArgName("policy")->Arg(1)->Arg(2)->Unit(benchmark::kMicrosecond);

// Everything that one rank of the source must know: its plans with all of its targets.
void BM_PlanSourceRank(benchmark::State& state) {
  const ServerSpec source = Gqa({1, 2, 8, 8}, 64, CpSharding::kReplicated);
  const ServerSpec target = Gqa({1, 1, 1, 16}, 64, CpSharding::kReplicated);
  const RankCoord from{0, 0, 0, 0};
  const RoutePolicy policy = Policy(static_cast<HolderPolicy>(state.range(0)));
  const BuiltLayout source_layout = Built(source, from, 4096);
  const BuiltLayout target_layout = Built(target, {0, 0, 0, 0}, 4096);
  size_t plans = 0;
  for (auto _ : state) {
    plans = 0;
    for (const RankCoord& to : TargetsOf(source, from, target, 0, policy, {8192, 0})) {
      auto plan =
          PlanPair(source, from, source_layout.layout, target, to, target_layout.layout, policy);
      CHECK(plan.ok());
      ++plans;
    }
  }
  state.counters["plans"] = static_cast<double>(plans);
}
BENCHMARK(BM_PlanSourceRank)->ArgName("policy")->Arg(1)->Arg(2)->Unit(benchmark::kMicrosecond);

void BM_SourcesOf(benchmark::State& state) {
  const ServerSpec source = Gqa({1, 2, 8, 8}, 64, CpSharding::kReplicated);
  const ServerSpec target = Gqa({1, 1, 1, 16}, 64, CpSharding::kReplicated);
  const RoutePolicy policy = Policy(static_cast<HolderPolicy>(state.range(0)));
  for (auto _ : state) {
    benchmark::DoNotOptimize(SourcesOf(source, 0, target, {0, 0, 0, 3}, policy, {8192, 0}));
  }
}
BENCHMARK(BM_SourcesOf)->ArgName("policy")->Arg(1)->Arg(2)->Unit(benchmark::kMicrosecond);

void Expand(benchmark::State& state, const ServerSpec& source, const ServerSpec& target,
            PageStyle source_style, PageStyle target_style) {
  constexpr uint64_t kTokens = 32768;
  constexpr uint32_t kPool = 8192;
  const RankCoord at{0, 0, 0, 0};
  const uint32_t source_pages = source.page_groups[0].page_tokens == 1 ? 65536 : kPool;
  const BuiltLayout source_layout = Built(source, at, source_pages, source_style);
  const BuiltLayout target_layout = Built(target, at, source_pages, target_style);
  const auto plan =
      PlanPair(source, at, source_layout.layout, target, at, target_layout.layout, {});
  CHECK(plan.ok()) << plan.status();
  SidePages pages[2];
  std::vector<int32_t> lists[2];
  for (int i = 0; i < 2; ++i) {
    const ServerSpec& spec = i == 0 ? source : target;
    const size_t need = PagesNeeded(spec, at, 0, 0, kTokens, kTokens);
    lists[i] = Shuffled(need, static_cast<int32_t>(source_pages));
    pages[i].pages = {lists[i]};
  }
  std::vector<CopyRun> runs(256);
  uint64_t count = 0;
  for (auto _ : state) {
    Cursor cursor(&*plan, {kTokens, 0}, {0, kTokens, 0, UINT32_MAX, true}, &pages[0], &pages[1]);
    while (const size_t n = cursor.Next(absl::MakeSpan(runs))) count += n;
  }
  state.counters["runs"] = static_cast<double>(count) / static_cast<double>(state.iterations());
  state.counters["per_run"] = benchmark::Counter(
      static_cast<double>(count), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

constexpr auto kOne = CpSharding::kReplicated;

void BM_ExpandScatteredPages(benchmark::State& state) {
  Expand(state, Gqa({1, 1, 1, 4}, 64, kOne), Gqa({1, 1, 1, 4}, 64, kOne), PageStyle::kTokenMajor,
         PageStyle::kTokenMajor);
}
BENCHMARK(BM_ExpandScatteredPages);

void BM_ExpandTokensAsPages(benchmark::State& state) {
  Expand(state, Gqa({1, 1, 1, 4}, 1, kOne), Gqa({1, 1, 1, 4}, 1, kOne), PageStyle::kTokenMajor,
         PageStyle::kTokenMajor);
}
BENCHMARK(BM_ExpandTokensAsPages);

void BM_ExpandHeadSlices(benchmark::State& state) {
  Expand(state, Gqa({1, 1, 1, 2}, 64, kOne), Gqa({1, 1, 1, 4}, 16, kOne), PageStyle::kTokenMajor,
         PageStyle::kTokenMajor);
}
BENCHMARK(BM_ExpandHeadSlices);

void BM_ExpandHeadMajorPages(benchmark::State& state) {
  Expand(state, Gqa({1, 1, 1, 1}, 64, kOne), Gqa({1, 1, 1, 2}, 16, kOne), PageStyle::kHeadMajor,
         PageStyle::kHeadMajor);
}
BENCHMARK(BM_ExpandHeadMajorPages);

void BM_ExpandInterleavedTokens(benchmark::State& state) {
  Expand(state, Gqa({1, 1, 1, 4}, 64, kOne), Gqa({1, 1, 4, 4}, 64, CpSharding::kInterleavedToken),
         PageStyle::kTokenMajor, PageStyle::kTokenMajor);
}
BENCHMARK(BM_ExpandInterleavedTokens);

void BM_ExpandInterleavedPages(benchmark::State& state) {
  Expand(state, Gqa({1, 1, 2, 4}, 64, CpSharding::kInterleavedPage),
         Gqa({1, 1, 3, 4}, 16, CpSharding::kInterleavedPage), PageStyle::kTokenMajor,
         PageStyle::kTokenMajor);
}
BENCHMARK(BM_ExpandInterleavedPages);

void BM_ExpandTokensMeetPages(benchmark::State& state) {
  Expand(state, Gqa({1, 1, 4, 4}, 16, CpSharding::kInterleavedToken),
         Gqa({1, 1, 3, 4}, 64, CpSharding::kInterleavedPage), PageStyle::kTokenMajor,
         PageStyle::kTokenMajor);
}
BENCHMARK(BM_ExpandTokensMeetPages);

void BM_ExpandHeadSlicesOfInterleavedPages(benchmark::State& state) {
  Expand(state, Gqa({1, 1, 2, 2}, 64, CpSharding::kInterleavedPage),
         Gqa({1, 1, 3, 4}, 16, CpSharding::kInterleavedPage), PageStyle::kTokenMajor,
         PageStyle::kTokenMajor);
}
BENCHMARK(BM_ExpandHeadSlicesOfInterleavedPages);

void BM_ExpandZigzagToTokens(benchmark::State& state) {
  Expand(state, Gqa({1, 1, 2, 4}, 64, CpSharding::kZigzag),
         Gqa({1, 1, 4, 4}, 16, CpSharding::kInterleavedToken), PageStyle::kTokenMajor,
         PageStyle::kTokenMajor);
}
BENCHMARK(BM_ExpandZigzagToTokens);

void BM_EncodePages(benchmark::State& state) {
  const std::vector<int32_t> pages = Shuffled(8000, 131072);
  for (auto _ : state) benchmark::DoNotOptimize(EncodePages(pages));
  state.counters["wire_bytes"] = static_cast<double>(EncodePages(pages).size());
}
BENCHMARK(BM_EncodePages)->Unit(benchmark::kMicrosecond);

void BM_DecodePages(benchmark::State& state) {
  const std::string bytes = EncodePages(Shuffled(8000, 131072));
  for (auto _ : state) benchmark::DoNotOptimize(DecodePages(bytes, 1 << 20));
}
BENCHMARK(BM_DecodePages)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace baton::planner

int main(int argc, char** argv) {
#ifndef __OPTIMIZE__
  fprintf(stderr, "planner_bench: built without optimisation; use -c opt\n");
  return 1;
#endif
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

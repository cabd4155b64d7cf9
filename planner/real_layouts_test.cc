// The pools of real engines, described as buffers by hand, each copied to a plain pool: where every
// byte comes from is computed here from the engine's own formula.
#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "planner/cursor.h"
#include "planner/layout_builder.h"
#include "planner/plan.h"

namespace baton::planner {
namespace {

constexpr uint32_t kPages = 8;
const RankCoord kFirst{0, 0, 0, 0};

TensorSpec Tensor(Kind kind, uint32_t layers, uint32_t heads, uint32_t head_bytes) {
  TensorSpec tensor;
  tensor.kind = kind;
  tensor.layers.resize(layers);
  std::iota(tensor.layers.begin(), tensor.layers.end(), 0u);
  tensor.dtype = "u8";
  tensor.heads = heads;
  tensor.head_bytes = head_bytes;
  tensor.tp_sharded = heads > 1;
  return tensor;
}

ServerSpec Spec(std::vector<TensorSpec> tensors, uint32_t page_tokens) {
  ServerSpec spec;
  spec.stages = {tensors[0].layers};
  spec.page_groups = {{page_tokens, 0}};
  spec.tensors = std::move(tensors);
  return spec;
}

BufferLayout Buffer(uint32_t tensor, uint32_t layer, uint64_t offset, uint64_t page_stride,
                    uint64_t entry_stride, uint64_t head_stride) {
  BufferLayout buffer;
  buffer.tensor = tensor;
  buffer.layer = layer;
  buffer.offset = offset;
  buffer.pages = kPages;
  buffer.page_stride = page_stride;
  buffer.entry_stride = entry_stride;
  buffer.head_stride = head_stride;
  return buffer;
}

// A room of `tokens` from the described pool to a plain one. Pages lie at scattered places.
class Moved {
 public:
  Moved(const ServerSpec& spec, RankLayout layout, uint64_t region_bytes, uint64_t tokens)
      : spec_(spec), source_(std::move(layout)) {
    EXPECT_TRUE(ValidateLayout(spec, kFirst, source_, {region_bytes}).ok())
        << ValidateLayout(spec, kFirst, source_, {region_bytes});
    LayoutOptions plain;
    plain.pages = {kPages};
    plain.region_style = RegionStyle::kBuffers;
    target_ = *BuildLayout(spec, kFirst, plain);
    const auto plan = PlanPair(spec, kFirst, source_, spec, kFirst, target_.layout, {});
    EXPECT_TRUE(plan.ok()) << plan.status();
    SidePages from;
    SidePages to;
    from.pages = {source_pages_};
    to.pages = {target_pages_};
    Cursor cursor(&*plan, {tokens, 0}, {0, tokens, 0, UINT32_MAX, true}, &from, &to);
    CopyRun run;
    while (cursor.Next(absl::MakeSpan(&run, 1)) == 1) {
      ++runs_;
      for (uint64_t i = 0; i < run.length; ++i) {
        const bool first =
            from_
                .emplace(std::pair(run.target_region, run.target_offset + i), run.source_offset + i)
                .second;
        EXPECT_TRUE(first) << "a byte is written twice";
      }
    }
  }

  // Where the first byte of (tensor, layer, token, head) comes from.
  uint64_t SourceOf(uint32_t tensor, uint32_t layer, uint64_t token, uint64_t head) const {
    for (const BufferLayout& b : target_.layout.buffers) {
      if (b.tensor != tensor || b.layer != layer) continue;
      const uint64_t page_tokens = spec_.page_groups[0].page_tokens;
      const uint64_t entry = token % page_tokens / spec_.tensors[tensor].tokens_per_entry;
      const uint64_t at = b.offset + target_pages_[token / page_tokens] * b.page_stride +
                          entry * b.entry_stride + head * b.head_stride;
      return from_.at({b.region, at});
    }
    ADD_FAILURE() << "no such buffer";
    return 0;
  }
  uint64_t source_page(uint64_t token) const {
    return source_pages_[token / spec_.page_groups[0].page_tokens];
  }
  uint64_t bytes() const { return from_.size(); }
  uint64_t runs() const { return runs_; }

 private:
  const ServerSpec spec_;
  RankLayout source_;
  BuiltLayout target_;
  std::vector<int32_t> source_pages_{5, 2, 7, 0};
  std::vector<int32_t> target_pages_{1, 6, 3, 4};
  std::map<std::pair<uint32_t, uint64_t>, uint64_t> from_;
  uint64_t runs_ = 0;
};

TEST(RealLayouts, SglangKeepsATensorOfTokensForEachLayer) {
  // k_buffer[layer][slot][head][dim], slots of a page follow one another.
  constexpr uint64_t kHeads = 4, kHead = 32, kPage = 16, kLayers = 3;
  const uint64_t tensor_bytes = kPages * kPage * kHeads * kHead;
  RankLayout layout;
  for (uint32_t t = 0; t < 2; ++t) {
    for (uint32_t l = 0; l < kLayers; ++l) {
      layout.buffers.push_back(Buffer(t, l, (t * kLayers + l) * tensor_bytes,
                                      kPage * kHeads * kHead, kHeads * kHead, kHead));
    }
  }
  const ServerSpec spec = Spec(
      {Tensor(Kind::kK, kLayers, kHeads, kHead), Tensor(Kind::kV, kLayers, kHeads, kHead)}, kPage);
  const Moved moved(spec, layout, 2 * kLayers * tensor_bytes, 40);
  EXPECT_EQ(moved.bytes(), 2 * kLayers * 40 * kHeads * kHead);
  for (uint64_t token : {0, 15, 16, 39}) {
    const uint64_t slot = moved.source_page(token) * kPage + token % kPage;
    EXPECT_EQ(moved.SourceOf(1, 2, token, 3),
              (kLayers + 2) * tensor_bytes + (slot * kHeads + 3) * kHead);
  }
}

TEST(RealLayouts, VllmKeepsKAndVOfAPageHeadMajorInOneTensor) {
  // kv_cache[layer][page][k or v][head][token][dim]
  constexpr uint64_t kHeads = 4, kHead = 32, kPage = 16, kLayers = 2;
  constexpr uint64_t kPlane = kHeads * kPage * kHead;
  RankLayout layout;
  for (uint32_t t = 0; t < 2; ++t) {
    for (uint32_t l = 0; l < kLayers; ++l) {
      layout.buffers.push_back(
          Buffer(t, l, l * kPages * 2 * kPlane + t * kPlane, 2 * kPlane, kHead, kPage * kHead));
    }
  }
  const ServerSpec spec = Spec(
      {Tensor(Kind::kK, kLayers, kHeads, kHead), Tensor(Kind::kV, kLayers, kHeads, kHead)}, kPage);
  const Moved moved(spec, layout, kLayers * kPages * 2 * kPlane, 40);
  EXPECT_EQ(moved.bytes(), 2 * kLayers * 40 * kHeads * kHead);
  for (uint64_t token : {0, 15, 16, 39}) {
    EXPECT_EQ(moved.SourceOf(1, 1, token, 2),
              ((kPages + moved.source_page(token)) * 2 + 1) * kPlane +
                  (2 * kPage + token % kPage) * kHead);
  }
}

TEST(RealLayouts, VllmsCrossLayerBlocksMoveAsOneRunAPage) {
  // kv_cache[page][layer][k or v][token][head][dim], to the same at the target of the fused kind.
  constexpr uint64_t kHeads = 2, kHead = 32, kPage = 16, kLayers = 5;
  constexpr uint64_t kPlane = kHeads * kPage * kHead;
  RankLayout layout;
  for (uint32_t l = 0; l < kLayers; ++l) {
    for (uint32_t t = 0; t < 2; ++t) {
      layout.buffers.push_back(
          Buffer(t, l, (2 * l + t) * kPlane, 2 * kLayers * kPlane, kHeads * kHead, kHead));
    }
  }
  const ServerSpec spec = Spec(
      {Tensor(Kind::kK, kLayers, kHeads, kHead), Tensor(Kind::kV, kLayers, kHeads, kHead)}, kPage);
  const Moved moved(spec, layout, kPages * 2 * kLayers * kPlane, 48);
  for (uint64_t token : {0, 17, 47}) {
    EXPECT_EQ(moved.SourceOf(0, 4, token, 1),
              (moved.source_page(token) * 2 * kLayers + 8) * kPlane +
                  (token % kPage * kHeads + 1) * kHead);
  }
  // Both sides of this kind: everything of a page is one run.
  const auto plan = PlanPair(spec, kFirst, layout, spec, kFirst, layout, {});
  ASSERT_TRUE(plan.ok());
  const std::vector<int32_t> from{5, 2, 7};
  const std::vector<int32_t> to{1, 6, 3};
  SidePages source;
  SidePages target;
  source.pages = {from};
  target.pages = {to};
  Cursor cursor(&*plan, {48, 0}, {0, 48, 0, UINT32_MAX, true}, &source, &target);
  CopyRun runs[16];
  EXPECT_EQ(cursor.Next(absl::MakeSpan(runs)), 3u);
  EXPECT_EQ(runs[0].length, 2 * kLayers * kPlane);
}

TEST(RealLayouts, IndexPagesHoldAllKeysThenAllScales) {
  // index[layer][page]: 64 keys of 128 bytes, then 64 scales of 4 bytes.
  constexpr uint64_t kPage = 64, kKey = 128, kScale = 4, kLayers = 2;
  constexpr uint64_t kPageBytes = kPage * (kKey + kScale);
  RankLayout layout;
  for (uint32_t l = 0; l < kLayers; ++l) {
    const uint64_t base = l * kPages * kPageBytes;
    layout.buffers.push_back(Buffer(0, l, base, kPageBytes, kKey, kKey));
    layout.buffers.push_back(Buffer(1, l, base + kPage * kKey, kPageBytes, kScale, kScale));
  }
  const ServerSpec spec = Spec(
      {Tensor(Kind::kIndex, kLayers, 1, kKey), Tensor(Kind::kScale, kLayers, 1, kScale)}, kPage);
  const Moved moved(spec, layout, kLayers * kPages * kPageBytes, 100);
  EXPECT_EQ(moved.bytes(), kLayers * 100 * (kKey + kScale));
  for (uint64_t token : {0, 63, 64, 99}) {
    const uint64_t page = (kPages + moved.source_page(token)) * kPageBytes;
    EXPECT_EQ(moved.SourceOf(0, 1, token, 0), page + token % kPage * kKey);
    EXPECT_EQ(moved.SourceOf(1, 1, token, 0), page + kPage * kKey + token % kPage * kScale);
  }
}

TEST(RealLayouts, PackedFp8LatentsAre656OpaqueBytesAToken) {
  // 512 fp8 values, 4 fp32 scales and 64 bf16 of rope: one unit, never looked into.
  constexpr uint64_t kPage = 64, kToken = 512 + 4 * 4 + 64 * 2, kLayers = 2;
  RankLayout layout;
  for (uint32_t l = 0; l < kLayers; ++l) {
    layout.buffers.push_back(
        Buffer(0, l, l * kPages * kPage * kToken, kPage * kToken, kToken, kToken));
  }
  const ServerSpec spec = Spec({Tensor(Kind::kLatent, kLayers, 1, kToken)}, kPage);
  const Moved moved(spec, layout, kLayers * kPages * kPage * kToken, 130);
  EXPECT_EQ(moved.bytes(), kLayers * 130 * kToken);
  EXPECT_EQ(moved.runs(), kLayers * 3);  // a run a page
  for (uint64_t token : {0, 64, 129}) {
    EXPECT_EQ(moved.SourceOf(0, 1, token, 0),
              ((kPages + moved.source_page(token)) * kPage + token % kPage) * kToken);
  }
}

TEST(RealLayouts, CompressedPoolsHoldFourOr128TokensAnEntry) {
  // c4[layer][page][64 entries], c128[layer][page][2 entries], a page of 256 tokens for both.
  constexpr uint64_t kPage = 256, kEntry = 80, kLayers = 2;
  std::vector<TensorSpec> tensors{Tensor(Kind::kLatent, kLayers, 1, kEntry),
                                  Tensor(Kind::kLatent, kLayers, 1, kEntry)};
  tensors[0].name = "c4";
  tensors[0].tokens_per_entry = 4;
  tensors[1].name = "c128";
  tensors[1].tokens_per_entry = 128;
  RankLayout layout;
  uint64_t end = 0;
  uint64_t base[2][kLayers];
  for (uint32_t t = 0; t < 2; ++t) {
    const uint64_t page_bytes = kPage / tensors[t].tokens_per_entry * kEntry;
    for (uint32_t l = 0; l < kLayers; ++l) {
      base[t][l] = end;
      layout.buffers.push_back(Buffer(t, l, end, page_bytes, kEntry, kEntry));
      end += kPages * page_bytes;
    }
  }
  const Moved moved(Spec(tensors, kPage), layout, end, 300);
  // The last entries are begun, not full: they go whole.
  EXPECT_EQ(moved.bytes(), kLayers * kEntry * (75 + 3));
  for (uint64_t token : {0, 255, 256, 299}) {
    const uint64_t page = moved.source_page(token);
    EXPECT_EQ(moved.SourceOf(0, 1, token, 0),
              base[0][1] + (page * 64 + token % kPage / 4) * kEntry);
    EXPECT_EQ(moved.SourceOf(1, 1, token, 0),
              base[1][1] + (page * 2 + token % kPage / 128) * kEntry);
  }
}

}  // namespace
}  // namespace baton::planner

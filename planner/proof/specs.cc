#include "planner/proof/specs.h"

#include <algorithm>
#include <utility>

#include "planner/flows.h"
#include "planner/layer_map.h"

namespace baton::planner {
namespace {

constexpr uint32_t kDraftLayers = 2;

std::vector<uint32_t> Range(uint32_t begin, uint32_t end) {
  std::vector<uint32_t> numbers;
  for (uint32_t i = begin; i < end; ++i) numbers.push_back(i);
  return numbers;
}

TensorSpec Tensor(Kind kind, std::vector<uint32_t> layers, uint32_t heads, uint32_t head_bytes) {
  TensorSpec tensor;
  tensor.kind = kind;
  tensor.layers = std::move(layers);
  tensor.dtype = "u8";
  tensor.heads = heads;
  tensor.head_bytes = head_bytes;
  tensor.tp_sharded = heads > 1;
  return tensor;
}

TensorSpec Named(TensorSpec tensor, const char* name, uint32_t page_group) {
  tensor.name = name;
  tensor.page_group = page_group;
  return tensor;
}

void AddAux(ServerSpec* spec) { spec->tensors.push_back(Tensor(Kind::kAux, {0}, 1, 5)); }

void AddDraft(ServerSpec* spec, uint32_t layers, uint32_t heads) {
  for (Kind kind : {Kind::kK, Kind::kV}) {
    TensorSpec tensor =
        Named(Tensor(kind, Range(layers, layers + kDraftLayers), heads, 3), "draft", 0);
    tensor.draft = true;
    spec->tensors.push_back(tensor);
  }
  for (uint32_t l : Range(layers, layers + kDraftLayers)) spec->stages.back().push_back(l);
}

uint32_t StageCut(StageStyle style, uint32_t layers, uint32_t pp, uint32_t i, Random& random) {
  const uint32_t even = layers * i / pp;
  switch (style) {
    case StageStyle::kAny:
      return random() % 2 == 0 ? even : static_cast<uint32_t>(Draw(random, 0, layers));
    case StageStyle::kEven:
      return even;
    case StageStyle::kUneven:
      return layers - std::min(layers, pp - i);
  }
  return even;
}

std::vector<std::vector<uint32_t>> Stages(const SpecShape& shape, Random& random) {
  const uint32_t layers = shape.layers;
  const uint32_t pp = shape.sizes.pp;
  std::vector<uint32_t> cuts{0, layers};
  for (uint32_t i = 1; i < pp; ++i) {
    cuts.push_back(StageCut(shape.stages, layers, pp, i, random));
  }
  std::sort(cuts.begin(), cuts.end());
  std::vector<std::vector<uint32_t>> stages;
  for (uint32_t i = 0; i < pp; ++i) stages.push_back(Range(cuts[i], cuts[i + 1]));
  return stages;
}

// Layers l with l % 2 == rest.
std::vector<uint32_t> EveryOther(uint32_t layers, uint32_t rest) {
  std::vector<uint32_t> result;
  for (uint32_t l = rest; l < layers; l += 2) result.push_back(l);
  return result;
}

}  // namespace

ServerSpec MakeSpec(ModelKind kind, const SpecShape& shape, Random& random) {
  ServerSpec spec;
  spec.sizes = shape.sizes;
  spec.cp_sharding = shape.cp_sharding;
  spec.stages = Stages(shape, random);
  spec.page_groups = {{shape.page_tokens, 0}};
  const auto all = Range(0, shape.layers);
  const auto even = EveryOther(shape.layers, 0);
  const auto odd = EveryOther(shape.layers, 1);
  auto& tensors = spec.tensors;
  switch (kind) {
    case ModelKind::kGqa:
      tensors = {Tensor(Kind::kK, all, shape.heads, 2), Tensor(Kind::kV, all, shape.heads, 2)};
      break;
    case ModelKind::kMla:
      tensors = {Tensor(Kind::kLatent, all, 1, 3)};
      break;
    case ModelKind::kIndexed:
      spec.page_groups.push_back({shape.page_tokens, 0});
      tensors = {Tensor(Kind::kLatent, all, 1, 3), Named(Tensor(Kind::kIndex, even, 1, 4), "", 1),
                 Named(Tensor(Kind::kScale, even, 1, 1), "", 1)};
      break;
    case ModelKind::kHybrid: {
      tensors = {Tensor(Kind::kK, even, shape.heads, 2), Tensor(Kind::kV, even, shape.heads, 3)};
      if (odd.empty()) break;
      TensorSpec conv = Tensor(Kind::kState, odd, 12, 2);
      conv.name = "conv";
      conv.sub_blocks = {3, 3, 6};
      tensors.push_back(conv);
      tensors.push_back(Named(Tensor(Kind::kState, odd, 6, 4), "temporal", 0));
      AddAux(&spec);
      break;
    }
    case ModelKind::kWindow:
      spec.page_groups.push_back({shape.page_tokens == 4 ? 2u : 4u, 10});
      tensors = {Tensor(Kind::kK, even, shape.heads, 2), Tensor(Kind::kV, even, shape.heads, 2)};
      if (odd.empty()) break;
      tensors.push_back(Named(Tensor(Kind::kK, odd, shape.heads, 2), "window", 1));
      tensors.push_back(Named(Tensor(Kind::kV, odd, shape.heads, 2), "window", 1));
      AddAux(&spec);
      break;
    case ModelKind::kCompressed: {
      TensorSpec four = Named(Tensor(Kind::kLatent, all, 1, 5), "c4", 0);
      four.tokens_per_entry = 4;
      tensors = {four, Named(Tensor(Kind::kIndex, even, 1, 2), "", 0)};
      tensors.back().tokens_per_entry = 2;
      break;
    }
    case ModelKind::kDraft:
      tensors = {Tensor(Kind::kK, all, shape.heads, 2), Tensor(Kind::kV, all, shape.heads, 2)};
      if (shape.draft) AddDraft(&spec, shape.layers, shape.heads / 2);
      AddAux(&spec);
      break;
  }
  for (TensorSpec& tensor : tensors) {
    if (PagesOverTp(spec.cp_sharding) && !IsRow(tensor.kind)) tensor.tp_sharded = false;
    if (tensor.kind == Kind::kAux) tensor.last_stage = shape.last_stage;
  }
  return spec;
}

LayoutOptions RandomOptions(const ServerSpec& spec, uint64_t tokens, Random& random) {
  LayoutOptions options;
  for (const PageGroup& group : spec.page_groups) {
    options.pages.push_back(static_cast<uint32_t>(tokens / group.page_tokens + 2));
  }
  options.rows = 3;
  options.page_style = static_cast<PageStyle>(Draw(random, 1, 2));
  options.mix_style = static_cast<MixStyle>(Draw(random, 1, 4));
  options.region_style = static_cast<RegionStyle>(Draw(random, 1, 2));
  options.align = uint64_t{1} << Draw(random, 0, 6);
  return options;
}

}  // namespace baton::planner

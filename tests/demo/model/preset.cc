#include "tests/demo/model/preset.h"

#include <utility>

namespace baton::demo {
namespace {

using planner::Kind;
using planner::TensorSpec;

std::vector<uint32_t> Layers(uint32_t begin, uint32_t end, uint32_t step = 1) {
  std::vector<uint32_t> layers;
  for (uint32_t layer = begin; layer < end; layer += step) layers.push_back(layer);
  return layers;
}

TensorSpec Sharded(Kind kind, std::vector<uint32_t> layers, uint32_t heads, uint32_t head_bytes) {
  TensorSpec tensor;
  tensor.kind = kind;
  tensor.layers = std::move(layers);
  tensor.dtype = "bf16";
  tensor.heads = heads;
  tensor.head_bytes = head_bytes;
  tensor.tp_sharded = true;
  return tensor;
}

// Held whole by every tp rank.
TensorSpec Whole(Kind kind, std::vector<uint32_t> layers, uint32_t bytes, const char* dtype) {
  TensorSpec tensor = Sharded(kind, std::move(layers), 1, bytes);
  tensor.tp_sharded = false;
  tensor.dtype = dtype;
  return tensor;
}

Preset Attention(const char* name, const char* about, uint32_t layers, uint32_t heads,
                 uint32_t head_bytes, uint32_t page_tokens) {
  return {name,
          about,
          layers,
          {{page_tokens}},
          {Sharded(Kind::kK, Layers(0, layers), heads, head_bytes),
           Sharded(Kind::kV, Layers(0, layers), heads, head_bytes)}};
}

Preset Latent(const char* name, const char* about, uint32_t layers, uint32_t bytes,
              uint32_t page_tokens) {
  return {name,
          about,
          layers,
          {{page_tokens}},
          {Whole(Kind::kLatent, Layers(0, layers), bytes, "bf16")}};
}

// Latents, an index key for each token, and its scale.
Preset Indexed() {
  Preset preset = Latent("mla-index", "8 layers, latents with index keys and scales", 8, 576, 64);
  preset.tensors.push_back(Whole(Kind::kIndex, Layers(0, 8), 128, "fp8"));
  preset.tensors.push_back(Whole(Kind::kScale, Layers(0, 8), 8, "fp32"));
  return preset;
}

// Full attention on even layers, a sliding window with pages of its own on odd ones.
Preset Sliding() {
  Preset preset{"gqa-window", "8 layers, two page groups", 8, {{16}, {4}}, {}};
  for (Kind kind : {Kind::kK, Kind::kV}) {
    preset.tensors.push_back(Sharded(kind, Layers(0, 8, 2), 8, 64));
    TensorSpec window = Sharded(kind, Layers(1, 8, 2), 8, 64);
    window.name = "window";
    window.page_group = 1;
    preset.tensors.push_back(window);
  }
  return preset;
}

// Attention on every fourth layer, recurrent state on the others.
Preset Hybrid() {
  Preset preset{
      "hybrid", "12 layers, attention on every fourth, state on the others", 12, {{16}}, {}};
  for (Kind kind : {Kind::kK, Kind::kV}) {
    preset.tensors.push_back(Sharded(kind, Layers(3, 12, 4), 8, 64));
  }
  std::vector<uint32_t> others;
  for (uint32_t layer : Layers(0, 12)) {
    if (layer % 4 != 3) others.push_back(layer);
  }
  TensorSpec conv = Sharded(Kind::kState, others, 32, 16);
  conv.name = "conv";
  conv.sub_blocks = {8, 8, 16};
  TensorSpec temporal = Sharded(Kind::kState, others, 16, 128);
  temporal.name = "temporal";
  temporal.sub_blocks = {16};
  preset.tensors.push_back(conv);
  preset.tensors.push_back(temporal);
  return preset;
}

}  // namespace

const std::vector<Preset>& Presets() {
  static const std::vector<Preset>* presets = new std::vector<Preset>{
      Attention("llama-3-8b", "32 layers, GQA 8 heads x 128 bf16", 32, 8, 256, 16),
      Latent("deepseek-v3", "61 layers, MLA 576 bf16", 61, 1152, 64),
      Attention("qwen3-235b", "94 layers, GQA 4 heads x 128 bf16", 94, 4, 256, 1),
      Attention("gqa", "12 layers, 24 heads x 32", 12, 24, 64, 16),
      Attention("gqa-few", "8 layers, 2 heads x 64", 8, 2, 128, 16),
      Latent("mla", "12 layers, latents of 288", 12, 576, 64),
      Indexed(),
      Sliding(),
      Hybrid(),
  };
  return *presets;
}

const Preset* FindPreset(absl::string_view name) {
  for (const Preset& preset : Presets()) {
    if (preset.name == name) return &preset;
  }
  return nullptr;
}

}  // namespace baton::demo

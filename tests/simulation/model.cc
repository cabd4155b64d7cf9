#include "tests/simulation/model.h"

#include <map>

namespace baton::sim {
namespace {

planner::ServerSpec MakeSpec(const RankCoord& sizes) {
  planner::ServerSpec spec;
  spec.sizes = sizes;
  spec.stages.resize(sizes.pp);
  for (uint32_t layer = 0; layer < kLayers; ++layer) {
    spec.stages[layer * sizes.pp / kLayers].push_back(layer);
  }
  spec.page_groups = {{kPageTokens}};
  for (planner::Kind kind : {planner::Kind::kK, planner::Kind::kV}) {
    planner::TensorSpec tensor;
    tensor.kind = kind;
    tensor.layers = {0, 1};
    tensor.dtype = "bf16";
    tensor.heads = kHeads;
    tensor.head_bytes = kHeadBytes;
    tensor.tp_sharded = true;
    spec.tensors.push_back(tensor);
  }
  planner::TensorSpec aux;
  aux.kind = planner::Kind::kAux;
  aux.layers = {0};
  aux.dtype = "bytes";
  aux.heads = 1;
  aux.head_bytes = kAuxBytes;
  spec.tensors.push_back(aux);
  return spec;
}

}  // namespace

const planner::ServerSpec& SpecOf(const RankCoord& sizes) {
  static auto* const kSpecs = new std::map<RankCoord, planner::ServerSpec>();
  auto it = kSpecs->find(sizes);
  if (it == kSpecs->end()) it = kSpecs->emplace(sizes, MakeSpec(sizes)).first;
  return it->second;
}

planner::RankLayout LayoutOf(const planner::ServerSpec& spec, const RankCoord& coord,
                             uint64_t* bytes) {
  planner::RankLayout layout;
  uint64_t offset = 0;
  for (uint32_t t = 0; t < spec.tensors.size(); ++t) {
    const planner::TensorSpec& tensor = spec.tensors[t];
    const bool aux = tensor.kind == planner::Kind::kAux;
    const uint64_t entry = aux ? kAuxBytes : tensor.head_bytes * tensor.heads / spec.sizes.tp;
    for (uint32_t layer : aux ? std::vector<uint32_t>{0} : spec.stages[coord.pp]) {
      planner::BufferLayout buffer;
      buffer.tensor = t;
      buffer.layer = layer;
      buffer.offset = offset;
      buffer.pages = aux ? kRows : kPages;
      buffer.head_stride = tensor.head_bytes;
      buffer.entry_stride = entry;
      buffer.page_stride = aux ? entry : entry * kPageTokens;
      offset += buffer.page_stride * buffer.pages;
      layout.buffers.push_back(buffer);
    }
  }
  *bytes = offset;
  return layout;
}

std::vector<RankCoord> CoordsOf(const RankCoord& sizes) {
  std::vector<RankCoord> coords;
  for (uint32_t dp = 0; dp < sizes.dp; ++dp) {
    for (uint32_t pp = 0; pp < sizes.pp; ++pp) {
      for (uint32_t cp = 0; cp < sizes.cp; ++cp) {
        for (uint32_t tp = 0; tp < sizes.tp; ++tp) coords.push_back({dp, pp, cp, tp});
      }
    }
  }
  return coords;
}

std::byte ContentOf(uint64_t salt, uint32_t tensor, uint32_t layer, uint64_t token, uint32_t at) {
  uint64_t x = salt + tensor * 0xbf58476d1ce4e5b9 + layer * 0x94d049bb133111eb +
               token * 0x9e3779b97f4a7c15 + at * 0xd6e8feb86659fd93 + 1;
  x ^= x >> 29;
  x *= 0xbf58476d1ce4e5b9;
  return static_cast<std::byte>(x >> 56);
}

}  // namespace baton::sim

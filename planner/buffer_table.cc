#include "planner/buffer_table.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/reason.h"
#include "planner/extent.h"
#include "planner/kind_names.h"
#include "planner/limits.h"
#include "planner/split.h"

namespace baton::planner {
namespace {

absl::Status Bad(const RankCoord& coord, size_t index, absl::string_view what) {
  return Error(Reason::kBadSpec,
               absl::StrCat("layout of ", ToString(coord), ": buffers[", index, "]", what));
}

absl::Status CheckNumbers(const ServerSpec& spec, const RankCoord& coord, size_t index,
                          const BufferLayout& b) {
  const TensorSpec& tensor = spec.tensors[b.tensor];
  if (b.region >= kRegionsMax) return Bad(coord, index, absl::StrCat(".region: ", b.region));
  if (b.pages == 0 || b.pages > INT32_MAX) {
    return Bad(coord, index, absl::StrCat(".pages: ", b.pages, " is not in [1, 2^31)"));
  }
  for (uint64_t number : {b.offset, b.page_stride, b.entry_stride, b.head_stride}) {
    if (number > kRegionBytesMax) {
      return Bad(coord, index, absl::StrCat(": offset or stride ", number, " is above 2^48"));
    }
  }
  const Extent extent = ExtentOf(b, PageEntries(spec, tensor),
                                 LocalHeads(tensor, spec.sizes.tp, coord.tp), tensor.head_bytes);
  if (b.offset + extent.Length() > kRegionBytesMax) {
    return Bad(coord, index, ": it ends above 2^48 bytes");
  }
  if (!extent.Nested()) {
    return Bad(coord, index,
               absl::StrCat(" (", TensorName(tensor), ", layer ", b.layer,
                            "): its strides let pages, entries or heads overlap"));
  }
  return absl::OkStatus();
}

size_t LayerPlace(const TensorSpec& tensor, uint32_t layer) {
  const auto at = std::lower_bound(tensor.layers.begin(), tensor.layers.end(), layer);
  if (at == tensor.layers.end() || *at != layer) return tensor.layers.size();
  return static_cast<size_t>(at - tensor.layers.begin());
}

}  // namespace

uint32_t LocalHeads(const TensorSpec& tensor, uint32_t tp, uint32_t rank) {
  if (!tensor.tp_sharded) return tensor.heads;
  if (tensor.sub_blocks.empty()) {
    return static_cast<uint32_t>(HeadsOfRank(tensor.heads, tp, rank).size());
  }
  uint64_t heads = 0;
  for (uint32_t block : tensor.sub_blocks) heads += HeadsOfRank(block, tp, rank).size();
  return static_cast<uint32_t>(heads);
}

uint32_t PageEntries(const ServerSpec& spec, const TensorSpec& tensor) {
  if (IsRow(tensor.kind)) return 1;
  return spec.page_groups[tensor.page_group].page_tokens / tensor.tokens_per_entry;
}

absl::StatusOr<BufferTable> BufferTable::Make(const ServerSpec& spec, const LayerMap& layers,
                                              const RankCoord& coord, const RankLayout& layout) {
  BufferTable table(spec);
  size_t owned = 0;
  for (size_t t = 0; t < spec.tensors.size(); ++t) {
    table.buffers_[t].resize(spec.tensors[t].layers.size());
  }
  for (size_t i = 0; i < layout.buffers.size(); ++i) {
    const BufferLayout& b = layout.buffers[i];
    if (b.tensor >= spec.tensors.size()) {
      return Bad(coord, i,
                 absl::StrCat(".tensor: ", b.tensor, ", but there are ", spec.tensors.size()));
    }
    const TensorSpec& tensor = spec.tensors[b.tensor];
    const size_t place = LayerPlace(tensor, b.layer);
    if (place == tensor.layers.size() || !layers.Holds(tensor, b.layer, coord)) {
      return Bad(
          coord, i,
          absl::StrCat(": the rank does not own layer ", b.layer, " of ", TensorName(tensor)));
    }
    const BufferLayout*& entry = table.buffers_[b.tensor][place];
    if (entry != nullptr) {
      return Bad(coord, i,
                 absl::StrCat(": a second buffer for layer ", b.layer, " of ", TensorName(tensor)));
    }
    entry = &b;
    if (auto s = CheckNumbers(spec, coord, i, b); !s.ok()) return s;
  }
  for (const TensorSpec& tensor : spec.tensors) {
    for (uint32_t layer : tensor.layers) {
      owned += layers.Holds(tensor, layer, coord);
    }
  }
  if (owned != layout.buffers.size()) {
    return Error(Reason::kBadSpec,
                 absl::StrCat("layout of ", ToString(coord), ": it has ", layout.buffers.size(),
                              " buffers, but the rank owns ", owned));
  }
  return table;
}

const BufferLayout* BufferTable::Find(uint32_t tensor, uint32_t layer) const {
  const size_t place = LayerPlace(spec_->tensors[tensor], layer);
  return place < buffers_[tensor].size() ? buffers_[tensor][place] : nullptr;
}

}  // namespace baton::planner

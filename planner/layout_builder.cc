#include "planner/layout_builder.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/reason.h"
#include "planner/buffer_table.h"
#include "planner/layer_map.h"
#include "planner/plan.h"

namespace baton::planner {
namespace {

// Buffers that lie in one piece of memory, all with the same page stride.
using Block = std::vector<BufferLayout>;

class Builder {
 public:
  Builder(const ServerSpec& spec, const RankCoord& coord, const LayoutOptions& options)
      : spec_(spec), coord_(coord), options_(options), layers_(spec) {}

  BuiltLayout Build() {
    for (Block& block : Blocks()) Place(&block);
    if (built_.region_sizes.empty()) built_.region_sizes.push_back(options_.align);
    return std::move(built_);
  }

 private:
  const TensorSpec& Tensor(const BufferLayout& b) const { return spec_.tensors[b.tensor]; }
  uint64_t Heads(const BufferLayout& b) const {
    return LocalHeads(Tensor(b), spec_.sizes.tp, coord_.tp);
  }
  uint64_t EntryBytes(const BufferLayout& b) const { return Heads(b) * Tensor(b).head_bytes; }
  uint64_t PageBytes(const BufferLayout& b) const {
    return EntryBytes(b) * PageEntries(spec_, Tensor(b));
  }

  // The buffers the rank owns, by layer and tensor, grouped by what mixes.
  std::vector<Block> Blocks() const {
    // Rows never mix; -1 in a key means "alone".
    std::map<std::tuple<int64_t, int64_t, int64_t, int64_t>, Block> blocks;
    std::vector<BufferLayout> owned;
    for (uint32_t t = 0; t < spec_.tensors.size(); ++t) {
      for (uint32_t layer : spec_.tensors[t].layers) {
        if (!layers_.Holds(spec_.tensors[t], layer, coord_)) continue;
        BufferLayout buffer;
        buffer.tensor = t;
        buffer.layer = layer;
        owned.push_back(buffer);
      }
    }
    std::stable_sort(owned.begin(), owned.end(),
                     [](const auto& a, const auto& b) { return a.layer < b.layer; });
    for (const BufferLayout& buffer : owned) {
      const TensorSpec& tensor = Tensor(buffer);
      const bool row = IsRow(tensor.kind);
      const bool alone = row || options_.mix_style == MixStyle::kNone;
      const bool all_layers = !alone && options_.mix_style == MixStyle::kLayers;
      // Entries of different lengths in tokens cannot alternate.
      const bool by_entry = options_.mix_style == MixStyle::kEntry;
      blocks[{row, all_layers ? -1 : buffer.layer, alone ? buffer.tensor : tensor.page_group,
              by_entry ? tensor.tokens_per_entry : -1}]
          .push_back(buffer);
    }
    std::vector<Block> result;
    for (auto& [key, block] : blocks) result.push_back(std::move(block));
    return result;
  }

  void Place(Block* block) {
    const bool by_entry =
        options_.mix_style == MixStyle::kEntry && options_.page_style == PageStyle::kTokenMajor;
    uint64_t page_stride = 0;
    uint64_t entry_stride = 0;
    for (const BufferLayout& b : *block) {
      page_stride += PageBytes(b);
      entry_stride += EntryBytes(b);
    }
    uint64_t offset = NewBlock();
    for (BufferLayout& b : *block) {
      const TensorSpec& tensor = Tensor(b);
      const bool head_major = options_.page_style == PageStyle::kHeadMajor && !IsRow(tensor.kind);
      b.region = static_cast<uint32_t>(built_.region_sizes.size() - 1);
      b.offset = offset;
      b.pages = IsRow(tensor.kind) ? options_.rows : options_.pages[tensor.page_group];
      b.page_stride = page_stride;
      b.entry_stride = by_entry ? entry_stride : head_major ? tensor.head_bytes : EntryBytes(b);
      b.head_stride =
          head_major ? PageEntries(spec_, tensor) * uint64_t{tensor.head_bytes} : tensor.head_bytes;
      offset += by_entry ? EntryBytes(b) : PageBytes(b);
      built_.layout.buffers.push_back(b);
    }
    built_.region_sizes.back() += page_stride * block->front().pages;
  }

  // Where the next block begins.
  uint64_t NewBlock() {
    auto& sizes = built_.region_sizes;
    if (sizes.empty() || options_.region_style == RegionStyle::kBuffers) sizes.push_back(0);
    sizes.back() = (sizes.back() + options_.align - 1) & ~(options_.align - 1);
    return sizes.back();
  }

  const ServerSpec& spec_;
  const RankCoord coord_;
  const LayoutOptions& options_;
  const LayerMap layers_;
  BuiltLayout built_;
};

}  // namespace

absl::StatusOr<BuiltLayout> BuildLayout(const ServerSpec& spec, const RankCoord& coord,
                                        const LayoutOptions& options) {
  if (auto s = ValidateSpec(spec); !s.ok()) return s;
  if (auto s = CheckCoord(spec, coord); !s.ok()) return s;
  const bool counts = options.pages.size() == spec.page_groups.size() && options.rows > 0 &&
                      std::count(options.pages.begin(), options.pages.end(), 0u) == 0;
  if (!counts || options.align == 0 || (options.align & (options.align - 1)) != 0) {
    return Error(Reason::kBadSpec,
                 absl::StrCat("layout options: ", options.pages.size(), " page counts for ",
                              spec.page_groups.size(), " page groups, ", options.rows,
                              " rows, align ", options.align));
  }
  BuiltLayout built = Builder(spec, coord, options).Build();
  if (auto s = ValidateLayout(spec, coord, built.layout, built.region_sizes); !s.ok()) return s;
  return built;
}

}  // namespace baton::planner

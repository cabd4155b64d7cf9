#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/reason.h"
#include "planner/buffer_table.h"
#include "planner/extent.h"
#include "planner/kind_names.h"
#include "planner/limits.h"
#include "planner/plan.h"

namespace baton::planner {
namespace {

struct Placed {
  Extent extent;
  uint32_t region = 0;
  uint64_t end = 0;
  const BufferLayout* buffer = nullptr;
};

std::string Named(const ServerSpec& spec, const BufferLayout& buffer) {
  return absl::StrCat(TensorName(spec.tensors[buffer.tensor]), " of layer ", buffer.layer);
}

// Page groups own pages by turns in pools that they share, and STATE rows are such pages too where
// each request's state lies in the pool of its keys: what overlays each other there is never in use
// at once. Inside one page group, or one STATE tensor, every page of every buffer is.
bool MayOverlay(const TensorSpec& a, const TensorSpec& b) {
  if (a.kind == Kind::kAux || b.kind == Kind::kAux) return false;
  if (a.kind == Kind::kState || b.kind == Kind::kState) {
    return a.kind != b.kind || a.name != b.name;
  }
  return a.page_group != b.page_group;
}

// Sorted by region and offset, so that only neighbours with common bounds are compared.
absl::Status CheckApart(const ServerSpec& spec, const RankCoord& coord,
                        std::vector<Placed>* placed) {
  std::sort(placed->begin(), placed->end(), [](const Placed& a, const Placed& b) {
    return a.region != b.region ? a.region < b.region : a.extent.offset < b.extent.offset;
  });
  for (size_t i = 0; i < placed->size(); ++i) {
    const Placed& a = (*placed)[i];
    for (size_t j = i + 1; j < placed->size(); ++j) {
      const Placed& b = (*placed)[j];
      if (b.region != a.region || b.extent.offset >= a.end) break;
      if (Apart(a.extent, b.extent)) continue;
      if (MayOverlay(spec.tensors[a.buffer->tensor], spec.tensors[b.buffer->tensor])) continue;
      return Error(Reason::kBadSpec,
                   absl::StrCat("layout of ", ToString(coord), ": ", Named(spec, *a.buffer),
                                " and ", Named(spec, *b.buffer), " overlap in region ", a.region));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ValidateLayout(const ServerSpec& spec, const RankCoord& coord,
                            const RankLayout& layout, const std::vector<uint64_t>& region_sizes) {
  if (layout.buffers.size() > kBuffersMax) {
    return Error(Reason::kBadSpec,
                 absl::StrCat("layout of ", ToString(coord), ": ", layout.buffers.size(),
                              " buffers are above ", kBuffersMax));
  }
  if (auto s = CheckCoord(spec, coord); !s.ok()) return s;
  const LayerMap layers(spec);
  auto table = BufferTable::Make(spec, layers, coord, layout);
  if (!table.ok()) return table.status();
  std::vector<Placed> placed;
  placed.reserve(layout.buffers.size());
  for (const BufferLayout& b : layout.buffers) {
    const TensorSpec& tensor = spec.tensors[b.tensor];
    const Extent extent = ExtentOf(b, PageEntries(spec, tensor),
                                   LocalHeads(tensor, spec.sizes.tp, coord.tp), tensor.head_bytes);
    const uint64_t end = b.offset + static_cast<uint64_t>(extent.Length());
    const uint64_t size = b.region < region_sizes.size() ? region_sizes[b.region] : 0;
    if (end > size) {
      return Error(Reason::kBadSpec,
                   absl::StrCat("layout of ", ToString(coord), ": ", Named(spec, b), " ends at ",
                                end, ", but region ", b.region, " has ", size, " bytes"));
    }
    placed.push_back({extent, b.region, end, &b});
  }
  return CheckApart(spec, coord, &placed);
}

}  // namespace baton::planner

#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/reason.h"
#include "planner/buffer_table.h"
#include "planner/extent.h"
#include "planner/find_overlap.h"
#include "planner/kind_names.h"
#include "planner/limits.h"
#include "planner/plan.h"

namespace baton::planner {
namespace {

struct Placed {
  Extent extent;
  uint32_t region = 0;
  const BufferLayout* buffer = nullptr;
};

std::string Named(const ServerSpec& spec, const BufferLayout& buffer) {
  return absl::StrCat(TensorName(spec.tensors[buffer.tensor]), " of layer ", buffer.layer);
}

// Page groups own pages by turns in pools that they share, and STATE rows are such pages too where
// each request's state lies in the pool of its keys: what overlays each other there is never in use
// at once. Inside one page group, or one STATE tensor, every page of every buffer is. Aux rows
// overlay nothing: they are in a company of their own, and in everybody else's.
using Company = std::tuple<uint32_t, bool, std::string, uint32_t>;  // region first

Company CompanyOf(const Placed& placed, const TensorSpec& tensor) {
  const bool state = tensor.kind == Kind::kState;
  return {placed.region, state, state ? tensor.name : std::string(), state ? 0 : tensor.page_group};
}

absl::Status CheckApart(const ServerSpec& spec, const RankCoord& coord,
                        const std::vector<const Placed*>& placed) {
  std::vector<Extent> extents;
  extents.reserve(placed.size());
  for (const Placed* p : placed) extents.push_back(p->extent);
  const auto found = FindOverlap(extents);
  if (!found.has_value()) return absl::OkStatus();
  const Placed* a = placed[found->first];
  const Placed* b = placed[found->second];
  if (b->extent.offset < a->extent.offset) std::swap(a, b);
  return Error(Reason::kBadSpec,
               absl::StrCat("layout of ", ToString(coord), ": ", Named(spec, *a->buffer), " and ",
                            Named(spec, *b->buffer), " overlap in region ", a->region));
}

absl::Status CheckAllApart(const ServerSpec& spec, const RankCoord& coord,
                           const std::vector<Placed>& placed) {
  std::map<Company, std::vector<const Placed*>> companies;
  std::map<uint32_t, std::vector<const Placed*>> aux;  // by region
  for (const Placed& p : placed) {
    const TensorSpec& tensor = spec.tensors[p.buffer->tensor];
    auto& of = tensor.kind == Kind::kAux ? aux[p.region] : companies[CompanyOf(p, tensor)];
    of.push_back(&p);
  }
  for (auto& [company, members] : companies) {
    auto it = aux.find(std::get<0>(company));
    if (it != aux.end()) members.insert(members.end(), it->second.begin(), it->second.end());
    if (absl::Status s = CheckApart(spec, coord, members); !s.ok()) return s;
  }
  for (const auto& [region, members] : aux) {
    if (absl::Status s = CheckApart(spec, coord, members); !s.ok()) return s;
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
    placed.push_back({extent, b.region, &b});
  }
  return CheckAllApart(spec, coord, placed);
}

}  // namespace baton::planner

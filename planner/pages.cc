#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/reason.h"
#include "planner/cursor.h"
#include "planner/flows.h"
#include "planner/kind_names.h"
#include "planner/layer_map.h"
#include "planner/limits.h"

namespace baton::planner {
namespace {

absl::Status Bad(const RankCoord& coord, absl::string_view what) {
  return Error(Reason::kBadPages, absl::StrCat(ToString(coord), ": ", what));
}

bool HasBuffer(const ServerSpec& spec, const LayerMap& layers, const RankCoord& coord,
               uint32_t page_group) {
  return std::any_of(spec.tensors.begin(), spec.tensors.end(), [&](const TensorSpec& t) {
    return !IsRow(t.kind) && t.page_group == page_group &&
           std::any_of(t.layers.begin(), t.layers.end(),
                       [&](uint32_t layer) { return layers.Holds(t, layer, coord); });
  });
}

// Pages from the one with the first own token at or after `begin` to that with the last below
// `end`, both inside the window.
size_t PagesOf(const ServerSpec& spec, const RankCoord& coord, uint32_t page_group, uint64_t begin,
               uint64_t end, uint64_t total) {
  const PageGroup& group = spec.page_groups[page_group];
  if (group.window_tokens != 0 && total > group.window_tokens) {
    begin = std::max(begin, total - group.window_tokens);
  }
  end = std::min(end, total);
  if (begin >= end) return 0;
  const OwnEntries own(ShardingOf(spec, page_group, 1, coord), total);
  const uint64_t first = own.FirstFrom(begin);
  const uint64_t last = own.LastBelow(end);
  if (first == kNoEntry || last == kNoEntry || last < first) return 0;
  return own.Local(last) / group.page_tokens - own.Local(first) / group.page_tokens + 1;
}

struct Bounds {
  uint32_t pages[kPageGroupsMax];
  uint32_t states[kTensorsMax];
  uint32_t aux = UINT32_MAX;
};

// Smallest number of pages (rows) over the buffers of each group.
Bounds BoundsOf(const ServerSpec& spec, const RankLayout& layout) {
  Bounds bounds;
  std::fill(std::begin(bounds.pages), std::end(bounds.pages), UINT32_MAX);
  std::fill(std::begin(bounds.states), std::end(bounds.states), UINT32_MAX);
  for (const BufferLayout& b : layout.buffers) {
    const TensorSpec& tensor = spec.tensors[b.tensor];
    uint32_t& bound = tensor.kind == Kind::kAux     ? bounds.aux
                      : tensor.kind == Kind::kState ? bounds.states[b.tensor]
                                                    : bounds.pages[tensor.page_group];
    bound = std::min(bound, b.pages);
  }
  return bounds;
}

absl::Status CheckRows(const ServerSpec& spec, const RankCoord& coord, const Bounds& bounds,
                       const SidePages& pages) {
  size_t index = 0;
  for (size_t t = 0; t < spec.tensors.size(); ++t) {
    const TensorSpec& tensor = spec.tensors[t];
    if (!IsRow(tensor.kind)) continue;
    const bool aux = tensor.kind == Kind::kAux;
    const size_t at = aux ? 0 : index++;
    if (!aux && at >= pages.state_rows.size()) {
      return Bad(coord, absl::StrCat(pages.state_rows.size(), " state rows, but ",
                                     TensorName(tensor), " needs one more"));
    }
    const uint32_t row = aux ? pages.aux_row : pages.state_rows[at];
    const uint32_t rows = aux ? bounds.aux : bounds.states[t];
    if (row < rows || (!aux && row == kNoRow)) continue;
    return Bad(coord, absl::StrCat("row ", row, " of ", TensorName(tensor), ", which has ", rows));
  }
  return absl::OkStatus();
}

}  // namespace

size_t PagesNeeded(const ServerSpec& spec, const RankCoord& coord, uint32_t page_group,
                   uint64_t begin, uint64_t end, uint64_t total_tokens) {
  if (!HasBuffer(spec, LayerMap(spec), coord, page_group)) return 0;
  return PagesOf(spec, coord, page_group, begin, end, total_tokens);
}

absl::Status ValidatePages(const ServerSpec& spec, const RankCoord& coord, const RankLayout& layout,
                           const SidePages& pages, uint64_t begin, uint64_t end,
                           uint64_t total_tokens, bool with_rows, uint16_t groups) {
  if (total_tokens > kTokensMax || begin > end || end > total_tokens || pages.first_token > begin) {
    return Bad(coord, absl::StrCat("tokens [", begin, ", ", end, ") of ", total_tokens,
                                   " with lists from token ", pages.first_token));
  }
  if (pages.pages.size() != spec.page_groups.size()) {
    return Bad(coord, absl::StrCat(pages.pages.size(), " page lists, but the spec has ",
                                   spec.page_groups.size(), " page groups"));
  }
  const Bounds bounds = BoundsOf(spec, layout);
  for (uint32_t g = 0; g < pages.pages.size(); ++g) {
    if ((groups >> g & 1) == 0) continue;
    const auto& list = pages.pages[g];
    const bool held = bounds.pages[g] != UINT32_MAX;
    const size_t need =
        held && begin < end ? PagesOf(spec, coord, g, pages.first_token, end, total_tokens) : 0;
    if (list.size() < need) {
      return Bad(coord, absl::StrCat("page group ", g, " has ", list.size(), " pages, but tokens [",
                                     pages.first_token, ", ", end, ") need ", need));
    }
    for (size_t i = 0; held && i < list.size(); ++i) {
      if (list[i] >= 0 && static_cast<uint32_t>(list[i]) < bounds.pages[g]) continue;
      return Bad(coord, absl::StrCat("page group ", g, ", entry ", i, ": page ", list[i],
                                     " of a buffer of ", bounds.pages[g]));
    }
  }
  return with_rows ? CheckRows(spec, coord, bounds, pages) : absl::OkStatus();
}

}  // namespace baton::planner

#include "tests/demo/content/placement.h"

#include <algorithm>

namespace baton::demo {

size_t Placement::IndexOf(uint64_t position) const {
  return std::lower_bound(tokens.begin(), tokens.end(), position) - tokens.begin();
}

absl::Span<const int32_t> Placement::PagesOf(uint64_t begin, uint64_t end) const {
  size_t first = IndexOf(begin);
  size_t last = IndexOf(end);
  if (first == last) return {};
  size_t first_page = first / page_tokens;
  return absl::MakeSpan(pages).subspan(first_page, (last - 1) / page_tokens - first_page + 1);
}

Placement Place(const Ownership& ownership, uint32_t page_group, uint64_t from, uint64_t total) {
  Placement placement;
  placement.page_tokens = ownership.spec().page_groups[page_group].page_tokens;
  placement.tokens = ownership.Tokens(page_group, total);
  size_t first = placement.IndexOf(from);
  if (first == placement.tokens.size()) {
    placement.tokens.clear();
    return placement;
  }
  first = first / placement.page_tokens * placement.page_tokens;
  placement.tokens.erase(placement.tokens.begin(), placement.tokens.begin() + first);
  return placement;
}

size_t PagesWanted(const Placement& placement) {
  return (placement.tokens.size() + placement.page_tokens - 1) / placement.page_tokens;
}

}  // namespace baton::demo

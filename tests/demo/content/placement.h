// Where the tokens of one room lie in one page group of one rank.
#ifndef BATON_TESTS_DEMO_CONTENT_PLACEMENT_H_
#define BATON_TESTS_DEMO_CONTENT_PLACEMENT_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "tests/demo/model/ownership.h"

namespace baton::demo {

struct Placement {
  uint32_t page_tokens = 1;
  // Positions that the rank holds, from the first slot of pages[0] on: tokens[i] lies in slot
  // i mod page_tokens of pages[i div page_tokens].
  std::vector<uint64_t> tokens;
  std::vector<int32_t> pages;

  // Tokens of the i-th page: fewer than page_tokens only in the last one.
  absl::Span<const uint64_t> TokensOfPage(size_t page) const {
    return absl::MakeSpan(tokens).subspan(page * page_tokens, page_tokens);
  }
  // Index of the first of `tokens` at or after `position`.
  size_t IndexOf(uint64_t position) const;
  // Pages of the tokens in [begin, end), as Send and OpenReceive want them.
  absl::Span<const int32_t> PagesOf(uint64_t begin, uint64_t end) const;
};

// Of the tokens in [from, total), beginning with the page that holds the first of them. `pages` is
// left empty; PagesWanted says how many it must get.
Placement Place(const Ownership& ownership, uint32_t page_group, uint64_t from, uint64_t total);
size_t PagesWanted(const Placement& placement);

}  // namespace baton::demo

#endif  // BATON_TESTS_DEMO_CONTENT_PLACEMENT_H_

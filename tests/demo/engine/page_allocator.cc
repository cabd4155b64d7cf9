#include "tests/demo/engine/page_allocator.h"

#include <utility>

#include "common/log.h"

namespace baton::demo {

PageAllocator::PageAllocator(uint32_t pages, uint64_t seed) : random_(seed), taken_(pages) {
  for (uint32_t page = 0; page < pages; ++page) {
    if (!IsGuard(page)) free_.push_back(page);
  }
}

std::optional<std::vector<int32_t>> PageAllocator::Allocate(size_t count) {
  if (count > free_.size()) return std::nullopt;
  std::vector<int32_t> pages;
  pages.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    std::swap(free_[random_() % free_.size()], free_.back());
    pages.push_back(free_.back());
    taken_[free_.back()] = true;
    free_.pop_back();
  }
  return pages;
}

void PageAllocator::Free(absl::Span<const int32_t> pages) {
  for (int32_t page : pages) {
    CHECK(taken_.at(page)) << "page " << page << " is freed but was not taken";
    taken_[page] = false;
    free_.push_back(page);
  }
}

}  // namespace baton::demo

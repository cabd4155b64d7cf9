// Hands out pages as a real engine's allocator does after hours of use: scattered over the pool.
// One page in 16 is a guard: never handed out, so that a write to it is noticed at the end.
#ifndef BATON_TESTS_DEMO_ENGINE_PAGE_ALLOCATOR_H_
#define BATON_TESTS_DEMO_ENGINE_PAGE_ALLOCATOR_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <vector>

#include "absl/types/span.h"

namespace baton::demo {

// Thread-compatible; the same sequence for the same seed.
class PageAllocator {
 public:
  PageAllocator(uint32_t pages, uint64_t seed);

  // nullopt when there are not enough.
  std::optional<std::vector<int32_t>> Allocate(size_t count);
  // Each page must have come from Allocate and not been freed since.
  void Free(absl::Span<const int32_t> pages);

  size_t free_pages() const { return free_.size(); }
  static bool IsGuard(uint32_t page) { return page % 16 == 7; }

 private:
  std::mt19937_64 random_;
  std::vector<int32_t> free_;
  std::vector<bool> taken_;
};

}  // namespace baton::demo

#endif  // BATON_TESTS_DEMO_ENGINE_PAGE_ALLOCATOR_H_

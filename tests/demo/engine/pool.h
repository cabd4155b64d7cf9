// The memory of one rank as an engine would own it: sealed memfds, mapped, seen as buffers.
#ifndef BATON_TESTS_DEMO_ENGINE_POOL_H_
#define BATON_TESTS_DEMO_ENGINE_POOL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/unique_fd.h"
#include "tests/demo/content/buffer_view.h"
#include "tests/demo/content/pool_layout.h"

namespace baton::demo {

// Thread-compatible.
class Pool {
 public:
  struct Region {
    std::string name;
    UniqueFd fd;
    uint64_t size = 0;
    std::byte* base = nullptr;
  };

  // SYSTEM when there is no memory or no memfd to be had.
  static absl::StatusOr<std::unique_ptr<Pool>> Create(const Ownership& ownership, PoolLayout layout,
                                                      const std::string& name);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  const planner::RankLayout& layout() const { return layout_; }
  const std::vector<Region>& regions() const { return regions_; }
  std::vector<BufferView>& views() { return views_; }
  const std::vector<BufferView>& views() const { return views_; }
  uint64_t bytes() const;

 private:
  Pool() = default;
  absl::Status AddRegion(const std::string& name, uint64_t size);

  planner::RankLayout layout_;
  std::vector<Region> regions_;
  std::vector<BufferView> views_;
};

}  // namespace baton::demo

#endif  // BATON_TESTS_DEMO_ENGINE_POOL_H_

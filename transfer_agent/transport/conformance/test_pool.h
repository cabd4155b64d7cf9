// A rank's pool for tests: sealed memfds of pages with known contents, and canaries between them.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_CONFORMANCE_TEST_POOL_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_CONFORMANCE_TEST_POOL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "common/unique_fd.h"
#include "planner/layout.h"
#include "transfer_agent/transport/conformance/region_twin.h"
#include "transfer_agent/transport/transport.h"

namespace baton::transport {

struct PoolShape {
  uint32_t layers = 2;
  uint32_t page_tokens = 16;
  uint32_t token_bytes = 256;
  uint32_t pages = 64;
  uint64_t gap_bytes = 64;   // canary behind each page
  uint64_t base_offset = 0;  // of the first layer in each region
  // What lies below base_offset is one small file over and over, full of canary: for transports
  // that pin the mapping of a pool, which would else take base_offset of memory. A multiple of
  // kFillerBytes lies there then, and the descriptors do not show it.
  bool filled_below = false;
  uint32_t regions = 1;  // the layers lie in them in turn
};

class TestPool {
 public:
  static constexpr std::byte kCanary{0xc5};
  static constexpr uint64_t kFillerBytes = 4 << 20;

  explicit TestPool(const PoolShape& shape);
  ~TestPool();
  TestPool(const TestPool&) = delete;
  TestPool& operator=(const TestPool&) = delete;

  const PoolShape& shape() const { return shape_; }
  planner::ServerSpec Spec() const;
  planner::RankLayout Layout() const;
  // The first one.
  LocalRegion region() const { return regions().front(); }
  std::vector<LocalRegion> regions() const;
  // Of each region.
  uint64_t size() const { return size_; }

  size_t page_bytes() const { return size_t{shape_.page_tokens} * shape_.token_bytes; }
  std::byte* Page(uint32_t layer, int32_t page) const;
  // Of the next region. From here on the host's memory is a copy; null: the region itself.
  void AddTwin(std::unique_ptr<RegionTwin> twin) { twins_.push_back(std::move(twin)); }
  // Between the copy and the twins, from base_offset on; the pool's own methods do it themselves.
  void Push() const;
  void Fetch() const;
  // Contents that depend on seed, layer, page and place.
  void FillPattern(uint64_t seed);
  // Everything from the first layer on, gaps too.
  void FillCanary();

  // As an engine that gives memory back, on a host that has none left: from now on whoever touches
  // the middle of that page meets a fault.
  void TakeAway(uint32_t layer, int32_t page);

  // The first page or gap in all layers that is not canary though `written` does not name it;
  // -1: none. A page's gap counts as not named.
  int64_t FirstTouched(const std::vector<int32_t>& written) const;
  // Whether nobody wrote below base_offset of a pool that is filled there.
  bool FillerIsUntouched() const;

 private:
  void FillBelow(std::byte* base);
  uint64_t page_stride() const { return page_bytes() + shape_.gap_bytes; }
  uint64_t layer_bytes() const { return page_stride() * shape_.pages; }
  uint64_t LayerOffset(uint32_t layer) const {
    return shape_.base_offset + layer / shape_.regions * layer_bytes();
  }

  const PoolShape shape_;
  const uint64_t size_;
  std::vector<UniqueFd> fds_;
  std::vector<std::byte*> bases_;
  std::vector<std::unique_ptr<RegionTwin>> twins_;
};

}  // namespace baton::transport

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_CONFORMANCE_TEST_POOL_H_

// One chunk's copies as items for the kernel: as many as the plan has copies, whatever the number
// of pages. Checks everything that a kernel could not: it must never touch an address that is not
// in the memory it was given. Keeps its capacity. Thread-compatible.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_CUDA_WORK_LIST_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_CUDA_WORK_LIST_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "planner/cursor.h"
#include "transfer_agent/transport/cuda/pull_item.h"

namespace baton::transport::cuda {

// Whether `pages` has a list and a row for everything that the plan's sources are read from: to be
// asked before a cursor is made of lists that a peer sent.
absl::Status CheckLists(const planner::PairPlan& plan, const planner::SidePages& pages);

class WorkList {
 public:
  // Of a cursor from which nothing was taken yet.
  void Read(planner::Cursor cursor);
  // Errors name the page or the region that is too small. Sizes are those of the side's regions.
  absl::Status CheckSource(const planner::SidePages& pages, absl::Span<const uint64_t> sizes);
  absl::Status CheckTarget(const planner::SidePages& pages, absl::Span<const uint64_t> sizes);

  // After both checks: bytes of the block that Write fills.
  uint64_t BlockBytes() const;
  // Fills the block, which a kernel sees at `seen_at`. Regions are at these addresses for it; a
  // warp is to take about `group_bytes` at a time.
  // INTERNAL: the chunk has more pieces than a kernel can count.
  absl::Status Write(std::byte* block, uint64_t seen_at, absl::Span<const uint64_t> source_at,
                     absl::Span<const uint64_t> target_at, uint32_t group_bytes);

  uint64_t bytes() const { return bytes_; }
  uint32_t items() const { return static_cast<uint32_t>(copies_.size()); }
  uint32_t groups() const { return groups_; }

 private:
  // Of one list: the entries that the chunk needs, and where in the block they go.
  struct Use {
    const int32_t* list = nullptr;
    uint64_t first = UINT64_MAX;
    uint64_t last = 0;
    uint32_t page_max = 0;
    uint64_t at = 0;

    uint64_t count() const { return list == nullptr ? 0 : last - first + 1; }
  };
  using Uses = std::vector<Use>;

  absl::Status Check(planner::StridedCopy::Side planner::StridedCopy::*which,
                     const planner::SidePages& pages, absl::Span<const uint64_t> sizes,
                     Uses* uses) const;
  absl::Status FindUses(planner::StridedCopy::Side planner::StridedCopy::*which,
                        const planner::SidePages& pages, Uses* uses) const;
  ItemSide SideOf(const planner::StridedCopy::Side& side, const Uses& uses, uint64_t region_at,
                  uint64_t seen_at) const;

  std::vector<planner::StridedCopy> copies_;
  Uses source_uses_;
  Uses target_uses_;
  uint64_t bytes_ = 0;
  uint32_t groups_ = 0;
};

}  // namespace baton::transport::cuda

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_CUDA_WORK_LIST_H_

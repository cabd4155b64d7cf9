// Finds the buffers of a rank's layout, and checks their form.
#ifndef BATON_PLANNER_BUFFER_TABLE_H_
#define BATON_PLANNER_BUFFER_TABLE_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "planner/layer_map.h"
#include "planner/layout.h"

namespace baton::planner {

// Heads of `tensor` that a tp rank keeps, over all sub-blocks.
uint32_t LocalHeads(const TensorSpec& tensor, uint32_t tp, uint32_t rank);

// Entries in a page; 1 for a row.
uint32_t PageEntries(const ServerSpec& spec, const TensorSpec& tensor);

// Borrows the layout. The spec must be valid.
class BufferTable {
 public:
  // BAD_SPEC unless `layout` has exactly the buffers that `coord` owns, with numbers in range and
  // without a byte that two (page, entry, head) of one buffer share.
  static absl::StatusOr<BufferTable> Make(const ServerSpec& spec, const LayerMap& layers,
                                          const RankCoord& coord, const RankLayout& layout);

  // Null when the rank has no such buffer.
  const BufferLayout* Find(uint32_t tensor, uint32_t layer) const;

 private:
  explicit BufferTable(const ServerSpec& spec) : spec_(&spec), buffers_(spec.tensors.size()) {}

  const ServerSpec* spec_;
  // By tensor, then by place of the layer in the tensor's list.
  std::vector<std::vector<const BufferLayout*>> buffers_;
};

}  // namespace baton::planner

#endif  // BATON_PLANNER_BUFFER_TABLE_H_

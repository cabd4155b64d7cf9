#include "transfer_agent/transport/stream/memory_table.h"

#include "absl/strings/str_cat.h"
#include "common/reason.h"

namespace baton::transport {

absl::StatusOr<MemoryId> MemoryTable::Add(absl::Span<const LocalRegion> regions, bool gpu) {
  for (size_t i = 0; i < regions.size(); ++i) {
    if (gpu && regions[i].dma_buf) continue;
    if (regions[i].dma_buf || (regions[i].base == nullptr && regions[i].size > 0)) {
      return Error(Reason::kNoTransport,
                   absl::StrCat("region ", i, " is GPU memory: only verbs and cuda can move it"));
    }
  }
  const MemoryId id(++last_id_);
  auto memory = std::make_unique<Memory>();
  memory->regions.assign(regions.begin(), regions.end());
  memories_.emplace(id, std::move(memory));
  return id;
}

const Memory* MemoryTable::Find(MemoryId id) const {
  auto it = memories_.find(id);
  return it == memories_.end() ? nullptr : it->second.get();
}

}  // namespace baton::transport

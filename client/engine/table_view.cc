#include "client/engine/table_view.h"

#include <errno.h>
#include <sys/mman.h>

#include "common/reason.h"

namespace baton {

absl::StatusOr<TableView> TableView::Reserve(uint32_t slots, uint32_t peers) {
  const uint64_t bytes = shm_abi::TableBytes(slots, peers);
  // Zeroes: every slot reads as free and every peer as unanswered until a table is shown.
  void* base = mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) return SystemError("reserving addresses for the table", errno);
  return TableView(Mapping(static_cast<std::byte*>(base), bytes), slots);
}

absl::Status TableView::Show(int table_fd) {
  void* base =
      mmap(mapping_.base(), mapping_.bytes(), PROT_READ, MAP_SHARED | MAP_FIXED, table_fd, 0);
  if (base == MAP_FAILED) return SystemError("mapping the completion table", errno);
  return absl::OkStatus();
}

}  // namespace baton

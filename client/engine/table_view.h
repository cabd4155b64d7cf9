// The completion table as the engine sees it: one address for the client's whole life, behind which
// the tables of successive attachments are put. So Poll needs neither a lock nor a reference count.
#ifndef BATON_CLIENT_ENGINE_TABLE_VIEW_H_
#define BATON_CLIENT_ENGINE_TABLE_VIEW_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/memfd.h"
#include "common/shm_abi/table_memory.h"

namespace baton {

class TableView {
 public:
  // Reserves the address. SYSTEM when there is none.
  static absl::StatusOr<TableView> Reserve(uint32_t slots, uint32_t peers);

  // Puts a table of that many slots and peers behind the address; the former one is gone. The
  // kernel does it in one step: a reader on another thread sees the one or the other.
  absl::Status Show(int table_fd);

  const shm_abi::TableHeader& header() const { return *shm_abi::HeaderOf(base()); }
  const shm_abi::TableSlot& row(uint32_t slot) const { return shm_abi::SlotsOf(base())[slot]; }
  const shm_abi::PeerRow& peer(uint32_t peer) const {
    return shm_abi::PeersOf(base(), slots_)[peer];
  }

 private:
  TableView(Mapping reserved, uint32_t slots) : mapping_(std::move(reserved)), slots_(slots) {}
  const std::byte* base() const { return mapping_.base(); }

  Mapping mapping_;
  uint32_t slots_;
};

}  // namespace baton

#endif  // BATON_CLIENT_ENGINE_TABLE_VIEW_H_

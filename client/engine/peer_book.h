// The peer servers that a client watches: what it asked for in which row of the table, kept over
// restarts of the agent, so that the next one can be asked again.
#ifndef BATON_CLIENT_ENGINE_PEER_BOOK_H_
#define BATON_CLIENT_ENGINE_PEER_BOOK_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/shm_abi/commands.h"

namespace baton {

// Serialised by the owner.
class PeerBook {
 public:
  explicit PeerBook(uint32_t rows) : rows_(rows) {
    for (uint32_t row = rows; row > 0; --row) free_.push_back(row - 1);
  }

  // A free row under a generation that it never had before; nullopt when all are taken.
  std::optional<shm_abi::PeerRef> Take(std::string server) {
    if (free_.empty()) return std::nullopt;
    const uint32_t at = free_.back();
    free_.pop_back();
    Row& row = rows_[at];
    if (++row.generation == 0) row.generation = 1;  // 0 is what a new table says
    row.open = true;
    row.server = std::move(server);
    return shm_abi::PeerRef{at, row.generation};
  }
  bool IsOpen(shm_abi::PeerRef ref) const {
    return ref.peer < rows_.size() && rows_[ref.peer].open &&
           rows_[ref.peer].generation == ref.generation;
  }
  // The handle is invalid from now on; the row is not taken again before Free.
  void Close(uint32_t row) { rows_[row].open = false; }
  void Free(uint32_t row) { free_.push_back(row); }

  // What is to be asked of a new agent.
  std::vector<shm_abi::WatchPeer> Open() const {
    std::vector<shm_abi::WatchPeer> open;
    for (uint32_t row = 0; row < rows_.size(); ++row) {
      if (!rows_[row].open) continue;
      open.push_back({{row, rows_[row].generation}, rows_[row].server});
    }
    return open;
  }

 private:
  struct Row {
    uint32_t generation = 0;
    bool open = false;
    std::string server;
  };
  std::vector<Row> rows_;
  std::vector<uint32_t> free_;
};

}  // namespace baton

#endif  // BATON_CLIENT_ENGINE_PEER_BOOK_H_

// What the workers last said of their load. Workers write, the reporter reads: no one waits.
#ifndef BATON_TRANSFER_AGENT_APP_LOAD_BOARD_H_
#define BATON_TRANSFER_AGENT_APP_LOAD_BOARD_H_

#include <atomic>
#include <cstdint>
#include <vector>

#include "common/clock.h"

namespace baton::agent {

struct LoadBoard {
  struct Cell {
    std::atomic<uint32_t> rooms{0};
    std::atomic<uint64_t> bytes{0};  // sent and landed since the start
  };
  explicit LoadBoard(size_t workers) : cells(workers) {}

  std::vector<Cell> cells;
  // Of the reporter: the sum when it last looked.
  uint64_t bytes_seen = 0;
  TimePoint seen;
};

}  // namespace baton::agent

#endif  // BATON_TRANSFER_AGENT_APP_LOAD_BOARD_H_

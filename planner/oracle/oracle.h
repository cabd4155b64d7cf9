// The rules of ownership, by brute force: which rank holds which (tensor, layer, head, entry), and
// at which address. Written from layout.proto alone, slow and plain on purpose, so that it can
// judge the planner: it shares only the types of layout.h with it (a test asks the build graph).
#ifndef BATON_PLANNER_ORACLE_ORACLE_H_
#define BATON_PLANNER_ORACLE_ORACLE_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/ids.h"
#include "planner/layout.h"

namespace baton::oracle {

// The smallest thing that has one owner and one address. For STATE and AUX, entry is 0.
struct Cell {
  uint32_t tensor = 0;  // of the spec it was asked from
  uint32_t layer = 0;
  uint32_t head = 0;
  uint64_t entry = 0;
};

struct Address {
  uint32_t region = 0;
  uint64_t offset = 0;
};

// Page lists and rows as an engine passes them.
struct Lists {
  uint64_t first_token = 0;
  std::vector<std::vector<int32_t>> pages;
  std::vector<uint32_t> state_rows;
  uint32_t aux_row = 0;
};

// One rank's view of a room of `total` tokens. Borrows everything it is given.
class Rank {
 public:
  Rank(const planner::ServerSpec& spec, const RankCoord& coord, const planner::RankLayout& layout,
       uint64_t total);

  // Every cell that the rank holds for the room.
  std::vector<Cell> Cells() const;
  bool Holds(const Cell& cell) const;
  // Whether what the rank holds there is what counts.
  bool Serves(const Cell& cell) const;
  // Whether the room needs this cell at a target that has the first `prefix` tokens.
  bool Needed(const Cell& cell, uint64_t prefix) const;
  // Of a cell that the rank holds.
  Address AddressOf(const Cell& cell, const Lists& lists) const;
  // Which of the rank's own pages holds the first own token at or after `token`.
  uint64_t PageAt(uint32_t group, uint64_t token) const;
  // Length of the list of a page group that begins at `first_token` and covers tokens below `end`.
  uint64_t PagesFor(uint32_t group, uint64_t first_token, uint64_t end) const;

 private:
  bool OwnsToken(uint32_t group, uint64_t token) const;
  bool OwnsLayer(uint32_t tensor, uint32_t layer) const;
  void DealLayers();
  std::vector<uint32_t> OwnHeads(uint32_t tensor) const;
  uint64_t WindowBegin(uint32_t group) const;
  // Number of own tokens below `token`.
  uint64_t OwnBefore(uint32_t group, uint64_t token) const;

  const planner::ServerSpec& spec_;
  const RankCoord coord_;
  const planner::RankLayout& layout_;
  const uint64_t total_;
  std::map<uint32_t, uint32_t> layer_cp_;          // of the stage, for layers split over cp
  std::vector<std::vector<uint64_t>> own_tokens_;  // of each page group, ascending
  std::vector<std::vector<uint32_t>> heads_;       // of each tensor, in local order
  std::map<std::pair<uint32_t, uint32_t>, size_t> buffers_;  // (tensor, layer)
};

}  // namespace baton::oracle

#endif  // BATON_PLANNER_ORACLE_ORACLE_H_

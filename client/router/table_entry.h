// What the table keeps of a server, and of a model. Of the table alone.
#ifndef BATON_CLIENT_ROUTER_TABLE_ENTRY_H_
#define BATON_CLIENT_ROUTER_TABLE_ENTRY_H_

#include <array>
#include <memory>
#include <utility>
#include <vector>

#include "client/router/table.h"

namespace baton::router {

struct Table::Entry {
  std::shared_ptr<const v1::ServerRecord> record;  // shared with the directory and with routes
  Model* model = nullptr;                          // null, as the pool, for a spec that is none
  Pool* pool = nullptr;
  bool open = false;  // in its pool
  Places places;      // while open
  Seats seats;
  uint32_t dp_size = 1;
  uint32_t next_dp = 0;
  uint32_t salt = 0;
  uint32_t picked = 0;         // in this period
  uint32_t picked_before = 0;  // and in the one before

  // Whether all that decides about its pool and its place is as it was.
  bool SameStart(const v1::ServerRecord& other) const;
};

struct Table::Model {
  // Of prefill, and of decode servers.
  std::array<std::vector<std::unique_ptr<Pool>>, 2> pools;
  uint64_t prefill_turn = 0;
  uint64_t decode_turn = 0;

  bool empty() const { return pools[0].empty() && pools[1].empty(); }
  Pool* AddPool(size_t side, planner::ServerSpec spec, Marks marks);
  void RemovePool(size_t side, Pool* pool);
};

}  // namespace baton::router

#endif  // BATON_CLIENT_ROUTER_TABLE_ENTRY_H_

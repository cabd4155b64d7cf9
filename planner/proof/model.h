// A server as the tests see it: every rank with a built layout, an oracle and random page lists.
#ifndef BATON_PLANNER_PROOF_MODEL_H_
#define BATON_PLANNER_PROOF_MODEL_H_

#include <cstdint>
#include <memory>
#include <random>
#include <vector>

#include "planner/cursor.h"
#include "planner/layout.h"
#include "planner/layout_builder.h"
#include "planner/oracle/oracle.h"

namespace baton::planner {

using Random = std::mt19937_64;

// Uniform in [low, high].
inline uint64_t Draw(Random& random, uint64_t low, uint64_t high) {
  return low + random() % (high - low + 1);
}

struct ModelRank {
  RankCoord coord;
  BuiltLayout built;
  // Of the open room.
  std::unique_ptr<oracle::Rank> oracle;
  oracle::Lists lists;
};

class ModelServer {
 public:
  // The spec must be valid.
  ModelServer(ServerSpec spec, LayoutOptions options);

  const ServerSpec& spec() const { return spec_; }
  // Of dp rank 0. Layouts are built at the first use; the room's lists too.
  ModelRank& At(uint32_t pp, uint32_t cp, uint32_t tp);
  ModelRank& At(const RankCoord& coord) { return At(coord.pp, coord.cp, coord.tp); }
  std::vector<RankCoord> Ranks() const;

  // From now on every rank has lists for a room of `total` tokens, from `first_token` on.
  void OpenRoom(uint64_t total, uint64_t first_token, uint64_t seed);

  // Bounded lists of a rank as a caller passes them for tokens from `first_token` on.
  static SidePages PagesFrom(const ServerSpec& spec, const ModelRank& rank, uint64_t first_token);

 private:
  ServerSpec spec_;
  LayoutOptions options_;
  std::vector<ModelRank> ranks_;
  uint64_t total_ = 0;
  uint64_t first_token_ = 0;
  uint64_t seed_ = 0;
  uint64_t room_ = 0;
  std::vector<uint64_t> opened_;  // the room that each rank's lists are of
};

}  // namespace baton::planner

#endif  // BATON_PLANNER_PROOF_MODEL_H_

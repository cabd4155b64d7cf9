// 64-bit hash over 64-bit words. What it yields is part of the protocol: never change it within a
// planner version.
#ifndef BATON_PLANNER_HASH_H_
#define BATON_PLANNER_HASH_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "common/ids.h"
#include "planner/layout.h"

namespace baton::planner {

class Hasher {
 public:
  void Word(uint64_t word);
  // Length, then the bytes in little-endian words, the last filled up with zeros.
  void Text(absl::string_view text);
  void Coord(const RankCoord& coord);
  uint64_t Finish() const;

 private:
  uint64_t state_ = 0x9e3779b97f4a7c15;
  uint64_t words_ = 0;
};

// Canonical encodings: every field in the order of layout.h, vectors with their length first.
void AddSpec(const ServerSpec& spec, Hasher* hasher);
void AddLayout(const RankLayout& layout, Hasher* hasher);

// The hash of a pair: planner version, policy, then spec, coordinates and layout of the source and
// of the target.
uint64_t HashPair(uint32_t planner_version, const RoutePolicy& policy,
                  const ServerSpec& source_spec, const RankCoord& source,
                  const RankLayout& source_layout, const ServerSpec& target_spec,
                  const RankCoord& target, const RankLayout& target_layout);

}  // namespace baton::planner

#endif  // BATON_PLANNER_HASH_H_

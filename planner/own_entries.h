// Which entries of a room lie on one cp rank, and where among its own. Positions are counted in
// entries (tokens_per_entry tokens each) from the start of the prompt.
#ifndef BATON_PLANNER_OWN_ENTRIES_H_
#define BATON_PLANNER_OWN_ENTRIES_H_

#include <cstdint>

#include "planner/layout.h"
#include "planner/split.h"

namespace baton::planner {

inline constexpr uint64_t kNoEntry = ~uint64_t{0};

// How one side's entries of one page group are dealt out to its cp ranks, and which rank it is.
struct EntrySharding {
  CpSharding kind = CpSharding::kReplicated;
  uint32_t cp = 1;
  uint32_t rank = 0;
  uint32_t page_entries = 1;
  uint32_t granule = 1;  // entries that INTERLEAVED_TOKEN keeps together

  bool operator==(const EntrySharding&) const = default;
};

// Entries x with x % period in [phase, phase + granule). A period of 0 means all of them.
struct Comb {
  uint64_t granule = 0;
  uint64_t period = 0;
  uint64_t phase = 0;

  // How many lie below x.
  uint64_t Below(uint64_t x) const;
  // The first at or after x.
  uint64_t FirstFrom(uint64_t x) const;
  // End of the tooth that holds x.
  uint64_t ToothEnd(uint64_t x) const { return x - x % period + phase + granule; }
  // The k-th of all.
  uint64_t At(uint64_t k) const { return k / granule * period + phase + k % granule; }
};

// The entries of one rank in a room of `entries`: one or two runs, thinned by a comb.
class OwnEntries {
 public:
  OwnEntries() = default;
  OwnEntries(const EntrySharding& sharding, uint64_t entries);

  int runs() const { return runs_; }
  Span64 run(int i) const { return run_[i]; }
  const Comb& comb() const { return comb_; }

  // kNoEntry if there is none.
  uint64_t FirstFrom(uint64_t x) const;
  uint64_t LastBelow(uint64_t x) const;
  // Number of own entries before own entry x: its place in the rank's pages.
  uint64_t Local(uint64_t x) const;

 private:
  int runs_ = 0;
  Span64 run_[2];
  Comb comb_;
};

}  // namespace baton::planner

#endif  // BATON_PLANNER_OWN_ENTRIES_H_

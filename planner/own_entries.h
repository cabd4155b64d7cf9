// Which entries of a room lie on one rank, and where among its own. Positions are counted in
// entries (tokens_per_entry tokens each) from the start of the prompt.
#ifndef BATON_PLANNER_OWN_ENTRIES_H_
#define BATON_PLANNER_OWN_ENTRIES_H_

#include <algorithm>
#include <cstdint>

#include "planner/fast_divide.h"
#include "planner/layout.h"
#include "planner/split.h"

namespace baton::planner {

inline constexpr uint64_t kNoEntry = ~uint64_t{0};

// How one side's entries of one page group are dealt out to its ranks, and which one it is.
// `kind` is none of those over tp: they are kInterleavedPage over that many ranks.
struct EntrySharding {
  CpSharding kind = CpSharding::kReplicated;
  uint32_t ranks = 1;
  uint32_t rank = 0;
  uint32_t page_entries = 1;
  uint32_t granule = 1;  // entries that INTERLEAVED_TOKEN keeps together

  bool operator==(const EntrySharding&) const = default;
};

// Entries x with x % period in [phase, phase + granule): teeth of one width at one distance.
// Positions and periods are below 2^32 (limits.h).
class Comb {
 public:
  // All entries: no comb at all.
  Comb() = default;
  Comb(uint64_t granule, uint64_t period, uint64_t phase)
      : granule_(granule), phase_(phase), period_(period), by_period_(period) {}

  bool all() const { return period_ == 0; }
  uint64_t granule() const { return granule_; }
  uint64_t period() const { return period_; }
  uint64_t phase() const { return phase_; }

  // How many lie below x.
  uint64_t Below(uint64_t x) const {
    const uint64_t periods = by_period_.Quotient(x);
    const uint64_t in_period = x - periods * period_;
    const uint64_t in_tooth = in_period <= phase_ ? 0 : std::min(in_period - phase_, granule_);
    return periods * granule_ + in_tooth;
  }
  // The first at or after x.
  uint64_t FirstFrom(uint64_t x) const {
    const uint64_t in_period = InPeriod(x);
    if (in_period < phase_) return x - in_period + phase_;
    if (in_period < phase_ + granule_) return x;
    return x - in_period + period_ + phase_;
  }
  // Of the tooth that holds x: its beginning and end.
  uint64_t ToothBegin(uint64_t x) const { return x - InPeriod(x) + phase_; }
  uint64_t ToothEnd(uint64_t x) const { return ToothBegin(x) + granule_; }
  // The k-th of all.
  uint64_t At(uint64_t k) const { return k / granule_ * period_ + phase_ + k % granule_; }

 private:
  uint64_t InPeriod(uint64_t x) const { return x - by_period_.Quotient(x) * period_; }

  uint64_t granule_ = 0;
  uint64_t phase_ = 0;
  uint64_t period_ = 0;
  FastDivide by_period_;
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

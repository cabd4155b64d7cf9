// The entries of a room that one source rank and one target rank both hold: what the pair can move.
#ifndef BATON_PLANNER_SHARED_ENTRIES_H_
#define BATON_PLANNER_SHARED_ENTRIES_H_

#include <cstdint>

#include "planner/layout.h"
#include "planner/own_entries.h"
#include "planner/split.h"

namespace baton::planner {

// Everything that decides which entries of a room a pair shares. Copies of one set walk together.
struct EntrySet {
  // STATE and AUX: one row a room, which goes with the last chunk.
  bool rows = false;
  uint32_t tokens_per_entry = 1;
  uint32_t window_tokens = 0;
  EntrySharding source;
  EntrySharding target;

  bool operator==(const EntrySet&) const = default;
};

// Entries of a room whose last token is in [begin, end), not in the prefix and inside the window.
// Chunks that follow one another thus never share an entry.
Span64 EntriesOfTokens(const EntrySet& set, const RoomTokens& tokens, uint64_t begin, uint64_t end);

// Ascending, with random access. For a set with rows: one entry, number 0.
class SharedEntries {
 public:
  SharedEntries() = default;
  // All entries of the room that are to be moved.
  SharedEntries(const EntrySet& set, const RoomTokens& tokens);

  // Keeps those inside `span`.
  void Clip(Span64 span);
  uint64_t Count() const;
  bool empty() const { return Count() == 0; }
  // Position of the k-th of Count().
  uint64_t At(uint64_t k) const;

  // The first stretch at or after x that lies in one piece on both sides; empty at the end.
  Span64 StretchFrom(uint64_t x) const;

  const OwnEntries& source() const { return source_; }
  const OwnEntries& target() const { return target_; }
  // Where every stretch of a run is followed by the next at this distance; 0: no such rule.
  uint64_t step() const { return odd_.period == 0 ? comb_.period : 0; }
  // With a step: longest stretch, how far into it x is, and where the rule ends for x.
  uint64_t tooth() const { return comb_.granule; }
  uint64_t IntoTooth(uint64_t x) const { return x % comb_.period - comb_.phase; }
  uint64_t RunEnd(uint64_t x) const;

 private:
  void Thin(const Comb& a, const Comb& b);
  uint64_t CountIn(Span64 span) const;
  uint64_t CountBoth(Span64 span) const;
  Span64 StretchOfBoth(Span64 span) const;

  OwnEntries source_;
  OwnEntries target_;
  int runs_ = 0;
  Span64 run_[4];
  // `comb_` alone where one comb says it all; with `odd_` where two of different granules meet. The
  // period of comb_ is the larger one.
  Comb comb_;
  Comb odd_;
};

}  // namespace baton::planner

#endif  // BATON_PLANNER_SHARED_ENTRIES_H_

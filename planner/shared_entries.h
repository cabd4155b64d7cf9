// The entries of a room that one source rank and one target rank both hold: what the pair can move.
#ifndef BATON_PLANNER_SHARED_ENTRIES_H_
#define BATON_PLANNER_SHARED_ENTRIES_H_

#include <cstdint>

#include "planner/comb_meeting.h"
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
  // From a place x in a stretch the next stretches follow at a fixed distance, up to Until(x). 0
  // where no comb thins the entries: stretches are whole runs.
  uint64_t step() const { return Stepping().period(); }
  // Longest such stretch, and how far into it x is.
  uint64_t tooth() const { return Stepping().granule(); }
  uint64_t IntoTooth(uint64_t x) const { return x - Stepping().ToothBegin(x); }
  uint64_t Until(uint64_t x) const;
  // How many of each side's own entries lie between two places at distance step().
  uint64_t source_step() const { return source_step_; }
  uint64_t target_step() const { return target_step_; }
  // Whether two combs of different granules meet here; if so, the walk of their teeth from the
  // stretch that begins at x, which one is the source's, and where x's run ends.
  bool two_combs() const { return !odd_.all(); }
  CombMeeting MeetingAt(uint64_t x) const { return CombMeeting(comb_, odd_, x); }
  bool wide_is_source() const { return source_.comb().period() == comb_.period(); }
  uint64_t RunEnd(uint64_t x) const;

 private:
  const Comb& Stepping() const { return odd_.all() ? comb_ : odd_; }
  void Thin(const Comb& a, const Comb& b);
  uint64_t StepOf(const OwnEntries& side) const;
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
  uint64_t source_step_ = 0;
  uint64_t target_step_ = 0;
};

}  // namespace baton::planner

#endif  // BATON_PLANNER_SHARED_ENTRIES_H_

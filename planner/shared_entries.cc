#include "planner/shared_entries.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "planner/break.h"

namespace baton::planner {
namespace {

// Whether two combs ever meet: whether some i in a's tooth and j in b's are equal modulo the
// greatest common divisor of the periods.
bool EverMeet(const Comb& a, const Comb& b) {
  const int64_t divisor = static_cast<int64_t>(std::gcd(a.period(), b.period()));
  const int64_t low =
      static_cast<int64_t>(a.phase()) - static_cast<int64_t>(b.phase() + b.granule()) + 1;
  const int64_t high =
      static_cast<int64_t>(a.phase() + a.granule()) - 1 - static_cast<int64_t>(b.phase());
  const int64_t first = low + ((-low) % divisor + divisor) % divisor;
  return first <= high;
}

// Two combs of one granule meet in one comb, by the Chinese remainder theorem.
Comb Meet(const Comb& a, const Comb& b) {
  const uint64_t teeth_a = a.period() / a.granule();
  const uint64_t teeth_b = b.period() / b.granule();
  const uint64_t phase_b = b.phase() / b.granule();
  uint64_t tooth = a.phase() / a.granule();
  while (tooth % teeth_b != phase_b) tooth += teeth_a;
  return Comb(a.granule(), std::lcm(teeth_a, teeth_b) * a.granule(), tooth * a.granule());
}

}  // namespace

Span64 EntriesOfTokens(const EntrySet& set, const RoomTokens& tokens, uint64_t begin,
                       uint64_t end) {
  const uint64_t total = tokens.total;
  begin = std::max(begin, tokens.prefix);
  if (set.window_tokens != 0 && total > set.window_tokens && !Broken(6)) {
    begin = std::max(begin, total - set.window_tokens);
  }
  if (begin >= total || begin >= end) return {};
  const uint64_t per_entry = set.tokens_per_entry;
  return {begin / per_entry,
          end >= total || Broken(5) ? DivideUp(std::min(end, total), per_entry) : end / per_entry};
}

SharedEntries::SharedEntries(const EntrySet& set, const RoomTokens& tokens) {
  if (set.rows) {
    runs_ = 1;
    run_[0] = {0, 1};
    source_ = target_ = OwnEntries(EntrySharding{}, 1);
    return;
  }
  const uint64_t entries = DivideUp(tokens.total, set.tokens_per_entry);
  source_ = OwnEntries(set.source, entries);
  target_ = OwnEntries(set.target, entries);
  int s = 0;
  int t = 0;
  while (s < source_.runs() && t < target_.runs()) {
    const Span64 both = Intersect(source_.run(s), target_.run(t));
    if (!both.empty()) run_[runs_++] = both;
    if (source_.run(s).end < target_.run(t).end) {
      ++s;
    } else {
      ++t;
    }
  }
  Thin(source_.comb(), target_.comb());
  Clip(EntriesOfTokens(set, tokens, 0, tokens.total));
}

void SharedEntries::Thin(const Comb& a, const Comb& b) {
  if (a.all() || b.all()) {
    comb_ = a.all() ? b : a;
  } else if (!EverMeet(a, b)) {
    runs_ = 0;
  } else if (a.granule() == b.granule()) {
    comb_ = Meet(a, b);
  } else {
    comb_ = a.period() >= b.period() ? a : b;
    odd_ = a.period() >= b.period() ? b : a;
  }
  if (step() == 0) return;
  source_step_ = StepOf(source_);
  target_step_ = StepOf(target_);
}

void SharedEntries::Clip(Span64 span) {
  int kept = 0;
  for (int i = 0; i < runs_; ++i) {
    const Span64 run = Intersect(run_[i], span);
    if (!run.empty()) run_[kept++] = run;
  }
  runs_ = kept;
}

uint64_t SharedEntries::CountIn(Span64 span) const {
  if (span.empty()) return 0;
  if (comb_.all()) return span.size();
  if (odd_.all()) return comb_.Below(span.end) - comb_.Below(span.begin);
  // The pattern repeats: count one repetition and the rest.
  const uint64_t repeat = comb_.period() / std::gcd(comb_.period(), odd_.period());
  const uint64_t length = span.size();
  if (repeat <= length / odd_.period()) {
    const uint64_t cycle = repeat * odd_.period();
    const uint64_t cycles = length / cycle;
    return cycles * CountBoth({span.begin, span.begin + cycle}) +
           CountBoth({span.begin + cycles * cycle, span.end});
  }
  return CountBoth(span);
}

uint64_t SharedEntries::CountBoth(Span64 span) const {
  uint64_t count = 0;
  for (uint64_t x = comb_.FirstFrom(span.begin); x < span.end;) {
    const uint64_t end = std::min(comb_.ToothEnd(x), span.end);
    count += odd_.Below(end) - odd_.Below(x);
    x = comb_.FirstFrom(end);
  }
  return count;
}

uint64_t SharedEntries::Count() const {
  uint64_t count = 0;
  for (int i = 0; i < runs_; ++i) count += CountIn(run_[i]);
  return count;
}

uint64_t SharedEntries::At(uint64_t k) const {
  for (int i = 0; i < runs_; ++i) {
    const uint64_t count = CountIn(run_[i]);
    if (k >= count) {
      k -= count;
      continue;
    }
    if (comb_.all()) return run_[i].begin + k;
    if (odd_.all()) return comb_.At(comb_.Below(run_[i].begin) + k);
    Span64 in = run_[i];
    while (in.size() > 1) {  // the k-th lies in `in`
      const uint64_t middle = in.begin + in.size() / 2;
      const bool below = CountIn({run_[i].begin, middle}) > k;
      in = below ? Span64{in.begin, middle} : Span64{middle, in.end};
    }
    return in.begin;
  }
  return kNoEntry;
}

uint64_t SharedEntries::RunEnd(uint64_t x) const {
  uint64_t end = kNoEntry;
  for (int i = runs_ - 1; i >= 0 && x < run_[i].end; --i) end = run_[i].end;
  return end;
}

uint64_t SharedEntries::Until(uint64_t x) const {
  return odd_.all() ? RunEnd(x) : std::min(RunEnd(x), comb_.ToothEnd(x));
}

uint64_t SharedEntries::StepOf(const OwnEntries& side) const {
  const Comb& comb = side.comb();
  // Between the teeth of `odd_` the other side's own entries follow one another.
  if (comb.all() || (!odd_.all() && comb.granule() != odd_.granule())) return step();
  return step() / comb.period() * comb.granule();
}

Span64 SharedEntries::StretchOfBoth(Span64 span) const {
  for (uint64_t x = comb_.FirstFrom(span.begin); x < span.end; x = comb_.FirstFrom(x)) {
    const uint64_t end = std::min(comb_.ToothEnd(x), span.end);
    x = odd_.FirstFrom(x);
    if (x < end) return {x, std::min(end, odd_.ToothEnd(x))};
    x = std::max(x, end);
  }
  return {};
}

Span64 SharedEntries::StretchFrom(uint64_t x) const {
  for (int i = 0; i < runs_; ++i) {
    const Span64 run = Intersect(run_[i], {x, kNoEntry});
    if (run.empty()) continue;
    if (comb_.all()) return run;
    if (!odd_.all()) {
      const Span64 stretch = StretchOfBoth(run);
      if (!stretch.empty()) return stretch;
      continue;
    }
    const uint64_t at = comb_.FirstFrom(run.begin);
    if (at < run.end) return {at, std::min(run.end, comb_.ToothEnd(at))};
  }
  return {};
}

}  // namespace baton::planner

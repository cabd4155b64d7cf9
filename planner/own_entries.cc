#include "planner/own_entries.h"

#include <algorithm>

#include "planner/break.h"

namespace baton::planner {

OwnEntries::OwnEntries(const EntrySharding& s, uint64_t entries) {
  const uint64_t pages = DivideUp(entries, s.page_entries);
  const auto add = [&](Span64 page_run) {
    const Span64 run =
        Intersect({page_run.begin * s.page_entries, page_run.end * s.page_entries}, {0, entries});
    if (!run.empty()) run_[runs_++] = run;
  };
  switch (s.kind) {
    case CpSharding::kReplicated:
    case CpSharding::kLayerSplit:
      add({0, pages});
      return;
    case CpSharding::kContiguous:
      add(PartOf(pages, s.ranks, s.rank));
      return;
    case CpSharding::kZigzag:
      add(PartOf(pages, 2 * s.ranks, s.rank));
      add(PartOf(pages, 2 * s.ranks, Broken(8) ? s.ranks + s.rank : 2 * s.ranks - 1 - s.rank));
      return;
    case CpSharding::kInterleavedToken:
    case CpSharding::kInterleavedPage:
    case CpSharding::kInterleavedPageTp:
    case CpSharding::kInterleavedPageCpTp: {
      add({0, pages});
      if (s.ranks == 1) return;
      const uint64_t granule = s.kind == CpSharding::kInterleavedToken ? s.granule : s.page_entries;
      comb_ = Comb(granule, granule * s.ranks, granule * s.rank);
      return;
    }
  }
}

uint64_t OwnEntries::FirstFrom(uint64_t x) const {
  for (int i = 0; i < runs_; ++i) {
    uint64_t at = std::max(x, run_[i].begin);
    if (!comb_.all()) at = comb_.FirstFrom(at);
    if (at < run_[i].end) return at;
  }
  return kNoEntry;
}

uint64_t OwnEntries::LastBelow(uint64_t x) const {
  for (int i = runs_ - 1; i >= 0; --i) {
    const uint64_t end = std::min(x, run_[i].end);
    if (end <= run_[i].begin) continue;
    if (comb_.all()) return end - 1;
    const uint64_t below = comb_.Below(end);
    if (below > comb_.Below(run_[i].begin)) return comb_.At(below - 1);
  }
  return kNoEntry;
}

uint64_t OwnEntries::Local(uint64_t x) const {
  if (!comb_.all()) return comb_.Below(x);
  if (runs_ == 2 && x >= run_[1].begin) return run_[0].size() + x - run_[1].begin;
  return x - run_[0].begin;
}

}  // namespace baton::planner

#include "planner/stretch_walk.h"

#include <gtest/gtest.h>

#include <vector>

namespace baton::planner {
namespace {

EntrySharding Sharding(CpSharding kind, uint32_t cp, uint32_t rank, uint32_t page) {
  EntrySharding sharding;
  sharding.kind = kind;
  sharding.ranks = cp;
  sharding.rank = rank;
  sharding.page_entries = page;
  return sharding;
}

// Entry by entry: whether the side holds it, and how many it holds before.
class Slow {
 public:
  Slow(const EntrySharding& s, uint64_t entries) {
    for (uint64_t x = 0; x < entries; ++x) {
      before_.push_back(count_);
      const uint64_t granule = s.kind == CpSharding::kInterleavedToken ? 1 : s.page_entries;
      const bool own = s.kind == CpSharding::kReplicated || x / granule % s.ranks == s.rank;
      own_.push_back(own);
      count_ += own;
    }
  }
  bool Holds(uint64_t x) const { return own_[x]; }
  uint64_t Before(uint64_t x) const { return before_[x]; }

 private:
  std::vector<bool> own_;
  std::vector<uint64_t> before_;
  uint64_t count_ = 0;
};

// Walks as the cursor does, over one chunk of the room.
void Check(const EntrySharding& from, const EntrySharding& to, uint64_t entries, Span64 chunk) {
  EntrySet set;
  set.source = from;
  set.target = to;
  SharedEntries shared(set, {entries, 0});
  shared.Clip(chunk);
  const Slow source(from, entries);
  const Slow target(to, entries);
  std::vector<bool> walked(entries, false);
  uint64_t before = 0;
  StretchWalk at(shared, 0);
  while (!at.stretch().empty()) {
    const Span64 stretch = at.stretch();
    ASSERT_GE(stretch.begin, before);
    ASSERT_LE(stretch.end, chunk.end);
    ASSERT_EQ(at.source_local(), source.Before(stretch.begin));
    ASSERT_EQ(at.target_local(), target.Before(stretch.begin));
    for (uint64_t x = stretch.begin; x < stretch.end; ++x) {
      // Own entries of a stretch follow one another on both sides.
      ASSERT_EQ(source.Before(x) - source.Before(stretch.begin), x - stretch.begin);
      ASSERT_EQ(target.Before(x) - target.Before(stretch.begin), x - stretch.begin);
      walked[x] = true;
    }
    before = stretch.end;
    if (!at.Next()) at = StretchWalk(shared, at.resume());
  }
  for (uint64_t x = 0; x < entries; ++x) {
    ASSERT_EQ(walked[x], x >= chunk.begin && x < chunk.end && source.Holds(x) && target.Holds(x))
        << "entry " << x;
  }
}

TEST(StretchWalk, MeetsEveryEntryThatBothSidesHoldOnceAndInOrder) {
  constexpr uint64_t kEntries = 150;
  constexpr CpSharding kKinds[] = {CpSharding::kReplicated, CpSharding::kInterleavedToken,
                                   CpSharding::kInterleavedPage};
  int pairs = 0;
  for (CpSharding a : kKinds) {
    for (CpSharding b : kKinds) {
      for (uint32_t turn = 0; turn < 3 * 3 * 4 * 5; ++turn) {
        const uint32_t cp_a = 1 + turn % 4;
        const uint32_t cp_b = 2 + turn % 5;
        const uint32_t page_a = 2 + turn / 4 % 3 * 5;   // 2, 7, 12
        const uint32_t page_b = 1 + turn / 12 % 3 * 3;  // 1, 4, 7
        for (uint32_t rank = 0; rank < cp_a; ++rank) {
          const auto from = Sharding(a, cp_a, rank, page_a);
          const auto to = Sharding(b, cp_b, turn % cp_b, page_b);
          Check(from, to, kEntries, {0, kEntries});
          Check(from, to, kEntries, {turn % 50, 60 + turn % 90});
          if (HasFatalFailure()) FAIL() << "turn " << turn << ", rank " << rank;
          ++pairs;
        }
      }
    }
  }
  RecordProperty("pairs", pairs);
}

TEST(StretchWalk, SkipsFarBetweenTeethThatSeldomMeet) {
  // A wide comb of few teeth over a narrow one: hundreds of narrow teeth lie between.
  const auto wide = Sharding(CpSharding::kInterleavedPage, 64, 63, 5);
  const auto narrow = Sharding(CpSharding::kInterleavedPage, 3, 2, 1);
  Check(wide, narrow, 5000, {0, 5000});
  Check(narrow, wide, 5000, {17, 4321});
}

}  // namespace
}  // namespace baton::planner

#include "planner/proof/covering.h"

#include <set>
#include <tuple>
#include <utility>

namespace baton::planner {
namespace {

constexpr int kOpen = -1;

class Generator {
 public:
  explicit Generator(const std::vector<int>& sizes) : sizes_(sizes) {
    for (int size : sizes) {
      offset_.push_back(values_);
      values_ += size;
    }
    met_.assign(static_cast<size_t>(values_) * values_, false);
    missing_of_.assign(values_, 0);
    for (size_t f = 0; f < sizes.size(); ++f) {
      for (int v = 0; v < sizes[f]; ++v) missing_of_[offset_[f] + v] = values_ - sizes[f];
    }
    missing_ = AllPairs(sizes);
  }

  std::vector<CoveringRow> Rows() {
    std::vector<CoveringRow> rows;
    while (missing_ > 0) {
      CoveringRow row(sizes_.size(), kOpen);
      Begin(&row);
      for (size_t f = NextFactor(row); f < row.size(); f = NextFactor(row)) {
        row[f] = BestValue(row, f, rows.size());
      }
      Note(row);
      rows.push_back(std::move(row));
    }
    return rows;
  }

 private:
  bool Met(size_t f, int v, size_t g, int w) const {
    return met_[static_cast<size_t>(offset_[f] + v) * values_ + offset_[g] + w];
  }

  // The value that lacks most others, and one that it lacks.
  void Begin(CoveringRow* row) const {
    size_t factor = 0;
    int value = 0;
    int most = -1;
    for (size_t f = 0; f < sizes_.size(); ++f) {
      for (int v = 0; v < sizes_[f]; ++v) {
        if (missing_of_[offset_[f] + v] <= most) continue;
        most = missing_of_[offset_[f] + v];
        factor = f;
        value = v;
      }
    }
    (*row)[factor] = value;
    for (size_t g = 0; g < sizes_.size(); ++g) {
      for (int w = 0; g != factor && w < sizes_[g]; ++w) {
        if (Met(factor, value, g, w)) continue;
        (*row)[g] = w;
        return;
      }
    }
  }

  // The open factor whose values lack most; row.size() when none is open.
  size_t NextFactor(const CoveringRow& row) const {
    size_t next = row.size();
    int most = -1;
    for (size_t f = 0; f < row.size(); ++f) {
      if (row[f] != kOpen) continue;
      int missing = 0;
      for (int v = 0; v < sizes_[f]; ++v) missing += missing_of_[offset_[f] + v];
      if (missing <= most) continue;
      most = missing;
      next = f;
    }
    return next;
  }

  // Meets most values of the row anew; of equals another one in each row.
  int BestValue(const CoveringRow& row, size_t f, size_t turn) const {
    int best = 0;
    int most = -1;
    for (int i = 0; i < sizes_[f]; ++i) {
      const int v = static_cast<int>((turn + i) % sizes_[f]);
      int anew = 0;
      for (size_t g = 0; g < row.size(); ++g) {
        anew += g != f && row[g] != kOpen && !Met(f, v, g, row[g]);
      }
      if (anew <= most) continue;
      most = anew;
      best = v;
    }
    return best;
  }

  void Note(const CoveringRow& row) {
    for (size_t f = 0; f < row.size(); ++f) {
      for (size_t g = 0; g < row.size(); ++g) {
        if (f == g || Met(f, row[f], g, row[g])) continue;
        met_[static_cast<size_t>(offset_[f] + row[f]) * values_ + offset_[g] + row[g]] = true;
        --missing_of_[offset_[f] + row[f]];
        missing_ -= f < g;
      }
    }
  }

  const std::vector<int>& sizes_;
  std::vector<int> offset_;  // of each factor's values among all
  int values_ = 0;
  std::vector<bool> met_;
  std::vector<int> missing_of_;  // of each value: how many it has not met
  uint64_t missing_ = 0;
};

}  // namespace

std::vector<CoveringRow> PairwiseRows(const std::vector<int>& sizes) {
  if (sizes.size() == 1) {
    std::vector<CoveringRow> rows;
    for (int v = 0; v < sizes[0]; ++v) rows.push_back({v});
    return rows;
  }
  return Generator(sizes).Rows();
}

uint64_t AllPairs(const std::vector<int>& sizes) {
  uint64_t pairs = 0;
  for (size_t f = 0; f < sizes.size(); ++f) {
    for (size_t g = f + 1; g < sizes.size(); ++g) pairs += uint64_t(sizes[f]) * sizes[g];
  }
  return pairs;
}

uint64_t MissingPairs(const std::vector<CoveringRow>& rows, const std::vector<int>& sizes) {
  std::set<std::tuple<size_t, int, size_t, int>> there;
  for (const CoveringRow& row : rows) {
    for (size_t f = 0; f < row.size(); ++f) {
      for (size_t g = f + 1; g < row.size(); ++g) there.insert({f, row[f], g, row[g]});
    }
  }
  return AllPairs(sizes) - there.size();
}

}  // namespace baton::planner

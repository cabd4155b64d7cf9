// Durations by size, counted as counters.h counts. One set of bounds for all, from what a channel
// takes in one machine to what a person gives up on.
#ifndef BATON_COMMON_METRICS_HISTOGRAM_H_
#define BATON_COMMON_METRICS_HISTOGRAM_H_

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>

#include "common/metrics/counters.h"

namespace baton::metrics {

inline constexpr double kBoundsSeconds[] = {1e-5,   2.5e-5, 5e-5, 1e-4,  2.5e-4, 5e-4, 1e-3,
                                            2.5e-3, 5e-3,   0.01, 0.025, 0.05,   0.1,  0.25,
                                            0.5,    1,      2.5,  5,     10,     30,   60};
inline constexpr size_t kBounds = std::size(kBoundsSeconds);

// What a histogram held when it was read. Buckets do not add up: the last one counts what is above
// every bound.
struct HistogramValues {
  std::array<uint64_t, kBounds + 1> buckets = {};
  double sum_seconds = 0;

  uint64_t count() const {
    uint64_t all = 0;
    for (uint64_t bucket : buckets) all += bucket;
    return all;
  }
  void Add(const HistogramValues& other) {
    for (size_t i = 0; i < buckets.size(); ++i) buckets[i] += other.buckets[i];
    sum_seconds += other.sum_seconds;
  }
  // The bound below which `share` of all lies, 0.99 say; 0 when empty. What is above every bound
  // counts as the last one.
  double Quantile(double share) const;
};

// `Counter`: Count, or SharedCount where several threads observe.
template <typename Counter>
class BasicHistogram {
 public:
  // Negative ones count as zero.
  void Observe(std::chrono::nanoseconds time) {
    const uint64_t nanos = std::max<int64_t>(time.count(), 0);
    const double seconds = static_cast<double>(nanos) * 1e-9;
    const auto* bound =
        std::lower_bound(std::begin(kBoundsSeconds), std::end(kBoundsSeconds), seconds);
    buckets_[bound - std::begin(kBoundsSeconds)].Add();
    nanos_.Add(nanos);
  }
  HistogramValues Read() const {
    HistogramValues values;
    for (size_t i = 0; i < buckets_.size(); ++i) values.buckets[i] = buckets_[i].value();
    values.sum_seconds = static_cast<double>(nanos_.value()) * 1e-9;
    return values;
  }

 private:
  std::array<Counter, kBounds + 1> buckets_;
  Counter nanos_;
};

using Histogram = BasicHistogram<Count>;
using SharedHistogram = BasicHistogram<SharedCount>;

inline double HistogramValues::Quantile(double share) const {
  const double wanted = share * static_cast<double>(count());
  uint64_t seen = 0;
  for (size_t i = 0; i < kBounds; ++i) {
    seen += buckets[i];
    if (seen > 0 && static_cast<double>(seen) >= wanted) return kBoundsSeconds[i];
  }
  return seen < count() ? kBoundsSeconds[kBounds - 1] : 0;
}

}  // namespace baton::metrics

#endif  // BATON_COMMON_METRICS_HISTOGRAM_H_

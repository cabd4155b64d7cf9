#include "tests/soak/series.h"

#include <algorithm>
#include <cmath>

namespace baton::soak {
namespace {

// The sums of one life, around its own middle.
struct Level {
  size_t count = 0;
  double age = 0;
  double value = 0;
};

}  // namespace

Trend FitTrend(const std::vector<Sample>& samples, double warm_up_s, double from_s) {
  auto counts = [&](const Sample& s) { return s.age_s >= warm_up_s && s.since_s >= from_s; };
  std::map<uint32_t, Level> levels;
  Trend trend;
  for (const Sample& sample : samples) {
    if (!counts(sample)) continue;
    if (trend.samples++ == 0) trend.first = trend.least = trend.most = sample.value;
    trend.last = sample.value;
    trend.oldest_s = std::max(trend.oldest_s, sample.age_s);
    trend.least = std::min(trend.least, sample.value);
    trend.most = std::max(trend.most, sample.value);
    trend.mean += sample.value;
    Level& level = levels[sample.life];
    ++level.count;
    level.age += sample.age_s;
    level.value += sample.value;
  }
  if (trend.samples == 0) return trend;
  trend.mean /= static_cast<double>(trend.samples);
  trend.lives = static_cast<uint32_t>(levels.size());
  for (auto& [life, level] : levels) {
    level.age /= static_cast<double>(level.count);
    level.value /= static_cast<double>(level.count);
  }
  double age_age = 0, age_value = 0, value_value = 0;
  for (const Sample& sample : samples) {
    if (!counts(sample)) continue;
    const Level& level = levels[sample.life];
    const double age = sample.age_s - level.age;
    const double value = sample.value - level.value;
    age_age += age * age;
    age_value += age * value;
    value_value += value * value;
  }
  // A level for each life, and the slope.
  const double free = static_cast<double>(trend.samples) - trend.lives - 1;
  if (age_age <= 0 || free <= 0) return trend;
  const double slope = age_value / age_age;
  const double rest = std::max(0.0, value_value - slope * age_value);
  trend.per_hour = slope * 3600;
  trend.error_per_hour = std::sqrt(rest / free / age_age) * 3600;
  return trend;
}

bool Grows(const Trend& trend, double step) {
  const double surely = trend.per_hour - 3 * trend.error_per_hour;
  return surely > step + trend.mean / 20;
}

}  // namespace baton::soak

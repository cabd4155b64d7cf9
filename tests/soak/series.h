// What was sampled of a process over its lives, and how fast it grows.
#ifndef BATON_TESTS_SOAK_SERIES_H_
#define BATON_TESTS_SOAK_SERIES_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace baton::soak {

struct Sample {
  uint32_t life = 0;   // of the process, from 0: each restart begins a new one
  double age_s = 0;    // of this life
  double since_s = 0;  // the start of the run
  double value = 0;
};

// Least squares: one slope for all lives, each with a level of its own.
struct Trend {
  uint32_t lives = 0;
  size_t samples = 0;  // those that count
  double first = 0;
  double last = 0;
  double least = 0;
  double most = 0;
  double mean = 0;
  double oldest_s = 0;  // the greatest age
  double per_hour = 0;
  double error_per_hour = 0;  // standard error
};

// Of samples of an age above `warm_up_s`, taken when the run was older than `from_s`.
Trend FitTrend(const std::vector<Sample>& samples, double warm_up_s, double from_s = 0);

// So much more after an hour, beyond doubt, that it is no noise: `step` and a twentieth of the
// mean.
bool Grows(const Trend& trend, double step);

// By process and by what was sampled.
using SeriesKey = std::pair<std::string, std::string>;
using Series = std::map<SeriesKey, std::vector<Sample>>;

}  // namespace baton::soak

#endif  // BATON_TESTS_SOAK_SERIES_H_

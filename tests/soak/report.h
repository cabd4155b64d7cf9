// What a soak found, for people and for programs.
#ifndef BATON_TESTS_SOAK_REPORT_H_
#define BATON_TESTS_SOAK_REPORT_H_

#include <string>
#include <vector>

#include "tests/soak/soak.h"

namespace baton::soak {

struct Row {
  std::string process;
  std::string what;
  Trend trend;
  Trend second_half;  // of the run
  bool grows = false;
};

// A row for each series. The first `warm_up_s` of each life are left out.
std::vector<Row> Rows(const Series& series, double warm_up_s, double seconds);
std::string Table(const std::vector<Row>& rows);
// The last line of a run.
std::string Summary(const SoakResult& result, uint64_t seed);
std::string Json(const SoakResult& result, const std::vector<Row>& rows, uint64_t seed);

}  // namespace baton::soak

#endif  // BATON_TESTS_SOAK_REPORT_H_

// The table at the end of the demo.
#ifndef BATON_TESTS_DEMO_RUNNER_TABLE_H_
#define BATON_TESTS_DEMO_RUNNER_TABLE_H_

#include <string>
#include <vector>

#include "tests/demo/runner/scenario.h"

namespace baton::demo {

struct TableRow {
  Scenario scenario;
  ScenarioResult result;
};

std::string RenderTable(const std::vector<TableRow>& rows);

// "demo: PASS ..." over all rows.
std::string PassLine(const std::vector<TableRow>& rows);

}  // namespace baton::demo

#endif  // BATON_TESTS_DEMO_RUNNER_TABLE_H_

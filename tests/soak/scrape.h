// The sizes that a program's metrics show.
#ifndef BATON_TESTS_SOAK_SCRAPE_H_
#define BATON_TESTS_SOAK_SCRAPE_H_

#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace baton::soak {

// Of a scrape in Prometheus' text format: each metric of `names`, summed over its labels. A name
// that is not in it is left out.
std::map<std::string, double> SumByName(absl::string_view text,
                                        const std::vector<std::string>& names);

// Maps and lists that must not grow.
const std::vector<std::string>& AgentSizes();
const std::vector<std::string>& BootstrapSizes();

}  // namespace baton::soak

#endif  // BATON_TESTS_SOAK_SCRAPE_H_

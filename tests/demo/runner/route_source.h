// Who decides where rooms go: a router client in this process, or a router's program beside it.
#ifndef BATON_TESTS_DEMO_RUNNER_ROUTE_SOURCE_H_
#define BATON_TESTS_DEMO_RUNNER_ROUTE_SOURCE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "tests/demo/router/router.h"

namespace baton::demo {

struct RouteSourceOptions {
  std::string bootstrap;
  std::string model;
  // Path of a program; empty: a RouterClient of this process. The program gets --bootstrap=ADDRESS,
  // reads a model's name from each line of its standard input, and answers each with a line:
  // "ID NONCE PREFILL DP DECODE DP", or "error WHY".
  std::string program;
  std::string log_path;  // of the program's standard error
};

class RouteSource {
 public:
  virtual ~RouteSource() = default;
  // DEADLINE when there is no answer within 15 s.
  virtual absl::StatusOr<PickedRoute> Pick() = 0;
};

absl::StatusOr<std::unique_ptr<RouteSource>> MakeRouteSource(const RouteSourceOptions& options);

// The route that a program's line says. BAD_MESSAGE quotes a line that is none.
absl::StatusOr<PickedRoute> ParseRoute(const std::string& line);

}  // namespace baton::demo

#endif  // BATON_TESTS_DEMO_RUNNER_ROUTE_SOURCE_H_

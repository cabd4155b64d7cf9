// `batonctl plan explain` alone, for its tests.
#include <iostream>

#include "client/ctl/plan_explain.h"

int main(int argc, char** argv) {
  const absl::Status status = baton::ctl::RunPlanExplain({argv + 1, argv + argc}, std::cout);
  if (status.ok()) return 0;
  std::cerr << "plan explain: " << status.message() << "\n";
  return 1;
}

// `batonctl plan explain` alone, for its tests.
#include <cstring>
#include <iostream>

#include "client/ctl/options.h"
#include "client/ctl/plan_explain.h"

int main(int argc, char** argv) {
  baton::ctl::Options options;
  baton::ConfigTable table("plan_explain", "Plans the hand-off of two servers given as files.");
  table.Choice("output", &options.output, {"table", "json"}, "Form of the answer.");
  baton::ctl::AddPlanRows(&options, &table);
  for (int i = 1; i < argc; ++i) {
    static char output[] = "--output";
    if (std::strcmp(argv[i], "-o") == 0) argv[i] = output;
  }
  table.ParseOrExit(argc, argv);
  const absl::Status status = baton::ctl::RunPlanExplain(options, std::cout);
  if (status.ok()) return 0;
  std::cerr << "plan explain: " << status.message() << "\n";
  return 1;
}

// An engine that does what it is told, a line at a time: the next report is tried in five minutes.
//
//   probe_engine --help     the commands, also in README.md beside this
//
// One line in, one line out: "ok ...", or "error REASON: text".
#include <iostream>
#include <string>

#include "tests/e2e/field/commands.h"

int main(int argc, char**) {
  if (argc > 1) {
    std::cout << baton::field::kHelp;
    return 0;
  }
  baton::field::Probe probe;
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << probe.Run(line) << std::endl;
  }
}

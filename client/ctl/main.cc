// batonctl
#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include "client/ctl/grpc_services.h"
#include "client/ctl/run.h"

int main(int argc, char** argv) {
  return baton::ctl::Run(
      std::vector<std::string>(argv + 1, argv + argc),
      [](const char* name) -> const char* { return getenv(name); }, baton::ctl::MakeGrpcServices,
      std::cout, std::cerr, isatty(STDOUT_FILENO) == 1);
}

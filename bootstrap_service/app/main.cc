// baton-bootstrap: the registry of servers and of their ranks.
#include <signal.h>
#include <stdio.h>

#include <string>

#include "bootstrap_service/app/options.h"
#include "bootstrap_service/app/server.h"
#include "common/log.h"

namespace {

// Complete or absent: readers wait for it to appear.
bool WritePortFile(const std::string& path, const std::string& address) {
  std::string fresh = path + ".new";
  FILE* file = fopen(fresh.c_str(), "we");
  if (file == nullptr) return false;
  bool written = fprintf(file, "%s\n", address.c_str()) > 0;
  return (fclose(file) == 0) && written && rename(fresh.c_str(), path.c_str()) == 0;
}

// Blocked in every thread that starts after this, so that only WaitForSignal sees them.
sigset_t BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

int WaitForSignal(const sigset_t& signals) {
  int number = 0;
  sigwait(&signals, &number);
  return number;
}

}  // namespace

int main(int argc, char** argv) {
  baton::InitLog(argv[0]);
  // Parse and validate.
  baton::registry::BootstrapOptions options;
  baton::ConfigTable table("baton-bootstrap", "The registry of servers and of their ranks.");
  baton::registry::AddRows(&options, &table);
  table.ParseOrExit(argc, argv);

  // Build and serve.
  sigset_t signals = BlockSignals();
  auto server = baton::registry::BootstrapServer::Start(options);
  if (!server.ok()) {
    fprintf(stderr, "baton-bootstrap: %s\n", std::string(server.status().message()).c_str());
    return 2;
  }
  LOG(INFO) << "serving on " << (*server)->address() << " with " << table.Describe();
  if (!options.port_file.empty() && !WritePortFile(options.port_file, (*server)->address())) {
    fprintf(stderr, "baton-bootstrap: --port_file=%s cannot be written\n",
            options.port_file.c_str());
    return 2;
  }

  // Drain.
  int number = WaitForSignal(signals);
  LOG(INFO) << "signal " << number << ": stopping";
  (*server)->Stop();
  return 0;
}

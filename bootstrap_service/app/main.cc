// baton-bootstrap: the registry of servers and of their ranks.
#include <stdio.h>

#include <string>
#include <utility>

#include "admin/admin.h"
#include "admin/html.h"
#include "admin/port_file.h"
#include "bootstrap_service/app/options.h"
#include "bootstrap_service/app/server.h"
#include "common/accept_loop.h"
#include "common/end_signals.h"
#include "common/log.h"
#include "common/log_format.h"
#include "common/thread_limit.h"

namespace {

// Twice what it has without a client.
constexpr uint64_t kFilesLeast = 64;
// Its own, without gRPC's and with a few to answer operators.
constexpr size_t kThreadsLeast = 12;
constexpr unsigned kStopSecondsMax = 10;

int Complain(const absl::Status& status) {
  fprintf(stderr, "baton-bootstrap: %s\n", std::string(status.message()).c_str());
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  baton::InitLog(argv[0]);
  // Parse and validate.
  baton::registry::BootstrapOptions options;
  baton::ConfigTable table("baton-bootstrap", "The registry of servers and of their ranks.");
  baton::registry::AddRows(&options, &table);
  table.ParseOrExit(argc, argv);
  baton::RaiseFileLimit();
  if (absl::Status files = baton::CheckFileLimit(kFilesLeast); !files.ok()) return Complain(files);
  absl::Status threads = baton::CheckThreadLimit(kThreadsLeast + baton::ThreadsOfGrpc());
  if (!threads.ok()) return Complain(threads);
  baton::admin::StartLog(options.admin, "baton-bootstrap");

  // Build and serve.
  sigset_t signals = baton::BlockEndSignals();
  auto server = baton::registry::BootstrapServer::Start(options);
  if (!server.ok()) return Complain(server.status());
  baton::admin::AdminSources sources;
  sources.health = [&server] { return (*server)->Health(); };
  sources.page = [&server](absl::string_view query) {
    const std::string only = baton::admin::QueryValue(query, "server");
    return baton::admin::HttpAnswer{200, baton::admin::kHtml, (*server)->Page(only)};
  };
  sources.metrics = [&server] { return (*server)->Metrics(); };
  auto admin = baton::admin::Admin::Start(options.admin, std::move(sources));
  if (!admin.ok()) return Complain(admin.status());
  LOG(INFO) << "registry serves on " << (*server)->address() << " with " << table.Describe();
  absl::Status written =
      baton::admin::WritePortFile("port_file", options.port_file, (*server)->address());
  if (!written.ok()) return Complain(written);

  // Drain.
  int number = baton::WaitForSignal(signals);
  LOG(INFO) << "registry stops: signal " << number;
  baton::EndWithin(kStopSecondsMax);
  (*server)->BeginDrain();
  (*admin)->Refresh();
  (*server)->Stop();
  baton::FlushLog();
  return 0;
}

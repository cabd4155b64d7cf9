// baton-router: OpenAI requests go to a prefill and a decode server at once.
#include <curl/curl.h>
#include <signal.h>
#include <stdio.h>

#include <string>
#include <utility>

#include "admin/admin.h"
#include "admin/port_file.h"
#include "client/router/app/front.h"
#include "client/router/app/options.h"
#include "client/router/app/stats.h"
#include "client/router/router_client.h"
#include "common/accept_loop.h"
#include "common/end_signals.h"
#include "common/log.h"
#include "common/log_format.h"

namespace baton::proxy {
namespace {

// What it has without a client. A request has three connections, and libcurl's own for waiting and
// for looking names up.
constexpr uint64_t kFilesLeast = 64;
constexpr uint64_t kFilesOfARequest = 10;

int Complain(const absl::Status& status) {
  fprintf(stderr, "baton-router: %s\n", std::string(status.message()).c_str());
  return 2;
}

admin::Health HealthOf(const RouterClient& router, const Front& front,
                       const RouterProgramOptions& options) {
  admin::Health health;
  health.started = true;
  if (front.draining()) {
    health.why = "it is ending";
  } else if (!router.synced()) {
    health.why = "the bootstrap service at " + options.bootstrap + " has not answered yet";
  }
  health.ready = health.why.empty();
  return health;
}

int Run(int argc, char** argv) {
  // Parse and validate.
  RouterProgramOptions options;
  ConfigTable table("baton-router",
                    "Sends each OpenAI request to a prefill and a decode server at once.");
  AddRows(&options, &table);
  table.ParseOrExit(argc, argv);
  auto place = PlaceOf(options.here);
  if (!place.ok()) return Complain(place.status());
  RaiseFileLimit();
  const uint64_t files = kFilesLeast + kFilesOfARequest * options.max_requests;
  if (absl::Status enough = CheckFileLimit(files); !enough.ok()) return Complain(enough);
  admin::StartLog(options.admin, "baton-router");

  // Build and serve.
  const sigset_t signals = BlockEndSignals();
  signal(SIGPIPE, SIG_IGN);
  curl_global_init(CURL_GLOBAL_DEFAULT);
  RouterOptions router_options;
  router_options.bootstrap_address = options.bootstrap;
  router_options.here = *std::move(place);
  auto router = MakeRouterClient(std::move(router_options));
  Stats stats;
  auto front = Front::Start(options, router.get(), &stats);
  if (!front.ok()) return Complain(front.status());
  admin::AdminSources sources;
  sources.health = [&] { return HealthOf(*router, **front, options); };
  sources.metrics = [&] { return RouterMetrics(stats, HealthOf(*router, **front, options).ready); };
  auto admin = admin::Admin::Start(options.admin, std::move(sources));
  if (!admin.ok()) return Complain(admin.status());
  LOG(INFO) << "router: serving at " << (*front)->address() << ", with " << table.Describe();
  absl::Status written = admin::WritePortFile("port_file", options.port_file, (*front)->address());
  if (!written.ok()) return Complain(written);

  // Drain.
  const int number = WaitForSignal(signals);
  LOG(INFO) << "router: drains, signal " << number;
  (*front)->BeginDrain();
  (*admin)->Refresh();
  (*front)->Stop();
  router->Stop();
  FlushLog();
  return 0;
}

}  // namespace
}  // namespace baton::proxy

int main(int argc, char** argv) {
  baton::InitLog(argv[0]);
  return baton::proxy::Run(argc, argv);
}

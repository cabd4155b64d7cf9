// baton-agent: parse, build, serve, drain.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cstdio>
#include <memory>

#include "admin/admin.h"
#include "admin/port_file.h"
#include "common/accept_loop.h"
#include "common/log.h"
#include "common/log_format.h"
#include "common/reason.h"
#include "common/thread_limit.h"
#include "transfer_agent/app/agent.h"
#include "transfer_agent/app/options.h"
#include "transfer_agent/service/agent_service.h"
#include "transfer_agent/service/status_page_source.h"

namespace baton::agent {
namespace {

constexpr int kLoadPeriodMs = 500;
// Without an engine or a peer an agent of eight workers has about sixty.
constexpr uint64_t kFilesLeast = 128;
// Its own beside its workers, without gRPC's and with a few to answer operators.
constexpr size_t kThreadsLeast = 16;
// Once it has drained.
constexpr unsigned kStopSecondsMax = 10;

int Complain(const absl::Status& status) {
  fprintf(stderr, "baton-agent: %s: %s\n", std::string(ReasonName(ReasonOf(status))).c_str(),
          std::string(status.message()).c_str());
  return 1;
}

// Blocked before any thread starts, so that only the wait below sees them.
UniqueFd BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return UniqueFd(signalfd(-1, &signals, SFD_CLOEXEC));
}

void Drain(Agent& agent, admin::Admin& admin, const Options& options) {
  LOG(INFO) << "agent drains: no new rooms, at most " << options.drain_ms
            << " ms for those that run";
  agent.BeginDrain();
  admin.Refresh();
  const TimePoint until = Monotonic::now() + std::chrono::milliseconds(options.drain_ms);
  uint32_t rooms = agent.RoomsUnderWay();
  while (rooms > 0 && Monotonic::now() < until) {
    usleep(20000);
    TickLog();
    rooms = agent.RoomsUnderWay();
  }
  LOG(INFO) << "agent drained, " << rooms << " rooms left";
}

// Until SIGTERM or SIGINT.
void AwaitSignal(int signals, Agent& agent) {
  pollfd signalled{signals, POLLIN, 0};
  while (poll(&signalled, 1, kLoadPeriodMs) <= 0) {
    agent.ReportLoad();
    TickLog();
  }
  signalfd_siginfo info;
  while (read(signals, &info, sizeof(info)) < 0 && errno == EINTR) {
  }
}

int Run(int argc, char** argv) {
  // First: who is told to end while it starts ends as well as later.
  UniqueFd signals = BlockSignals();
  Options options;
  ConfigTable table("baton-agent", "Moves KV pages between the engines of its pod and others'.");
  AddRows(&options, &table);
  table.ParseOrExit(argc, argv);
  if (absl::Status status = Complete(&options); !status.ok()) return Complain(status);
  RaiseFileLimit();
  if (absl::Status files = CheckFileLimit(kFilesLeast); !files.ok()) return Complain(files);
  absl::Status threads = CheckThreadLimit(kThreadsLeast + options.workers + ThreadsOfGrpc());
  if (!threads.ok()) return Complain(threads);
  InitLog(argv[0]);
  admin::StartLog(options.admin, "baton-agent");
  const std::unique_ptr<AgentInspection> inspection = AgentInspection::Make();
  auto agent = Agent::Start(options, inspection->service());
  if (!agent.ok()) return Complain(agent.status());
  inspection->Bind(agent->get());
  auto service = AgentService::Start(options, agent->get());
  if (!service.ok()) return Complain(service.status());
  admin::AdminSources sources;
  sources.health = [&agent] { return (*agent)->Health(); };
  sources.page = [&agent](absl::string_view) { return StatusPageOf(agent->get()); };
  sources.metrics = [&agent] { return (*agent)->Metrics(); };
  auto admin = admin::Admin::Start(options.admin, std::move(sources));
  if (!admin.ok()) return Complain(admin.status());
  absl::Status written = admin::WritePortFile("port_file", options.port_file, (*agent)->address());
  if (!written.ok()) return Complain(written);
  AwaitSignal(signals.get(), **agent);
  Drain(**agent, **admin, options);
  EndWithin(kStopSecondsMax);
  service->reset();
  admin->reset();
  (*agent)->Stop();
  FlushLog();
  return 0;
}

}  // namespace
}  // namespace baton::agent

int main(int argc, char** argv) { return baton::agent::Run(argc, argv); }

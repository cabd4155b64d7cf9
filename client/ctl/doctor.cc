// batonctl doctor
#include <chrono>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "baton/v1/report.pb.h"
#include "client/ctl/agent_view.h"
#include "client/ctl/commands.h"
#include "client/ctl/verbs_rows.h"
#include "common/clock.h"
#include "common/reason.h"
#include "transfer_agent/checks/checks.h"

namespace baton::ctl {
namespace {

void AddRows(Options* options, ConfigTable* table) {
  table->Choice("transport", &options->transport, {"auto", "verbs", "tcp", "shm", "cuda"},
                "What the agent is asked for: with verbs or cuda, what stands in its way is a "
                "fail.");
  AddVerbsRows(options, table);
  table->Text("attach_socket", &options->attach_socket, "path",
              "Unix socket on which engines attach.", CheckNotEmpty);
  table->Text("advertise", &options->advertise, "host:port",
              "What other agents dial, as the agent has it; empty: not known here.");
}

absl::StatusOr<checks::Settings> SettingsOf(const Options& options) {
  checks::Settings settings;
  settings.transport = options.transport;
  auto wishes = WishesOf(options);
  if (!wishes.ok()) return wishes.status();
  settings.wishes = *std::move(wishes);
  settings.attach_socket = options.attach_socket;
  settings.service_socket = options.service_socket;
  settings.bootstrap = options.bootstrap;
  settings.advertise = options.advertise;
  return settings;
}

std::string Verdict(const v1::DoctorReport& report) {
  if (report.failed() == 0 && report.warned() == 0) return "all is well";
  return absl::StrCat(report.failed(), " failed, ", report.warned(), " could be better");
}

absl::Status Run(const Invocation& call) {
  auto settings = SettingsOf(call.options);
  if (!settings.ok()) return settings.status();
  const TimePoint begin = Monotonic::now();
  checks::Findings findings = checks::CheckHost(*settings, *call.services->host());
  for (v1::CheckFinding& finding : checks::CheckNetwork(
           *settings, *call.services->host(), [&call] { return call.services->ListServers({}); })) {
    findings.push_back(std::move(finding));
  }
  v1::DoctorReport report;
  for (v1::CheckFinding& finding : findings) {
    if (finding.verdict() == v1::CHECK_VERDICT_FAIL) report.set_failed(report.failed() + 1);
    if (finding.verdict() == v1::CHECK_VERDICT_WARN) report.set_warned(report.warned() + 1);
    *report.add_findings() = std::move(finding);
  }
  report.set_took_ms(
      std::chrono::duration_cast<std::chrono::milliseconds>(Monotonic::now() - begin).count());
  if (report.failed() > 0) *call.verdict = kExitError;
  View view = {FindingsSection(report.findings())};
  for (const v1::CheckFinding& finding : report.findings()) {
    if (!call.printer->wide() || finding.details_size() == 0) continue;
    Section details{finding.check(), {{"CANDIDATE"}, {}}, ""};
    for (const std::string& line : finding.details()) details.table.rows.push_back({line});
    view.push_back(std::move(details));
  }
  view.push_back({"", {}, Verdict(report)});
  call.printer->Show(report, view);
  return absl::OkStatus();
}

}  // namespace

const Command kDoctor = {
    "doctor",
    "",
    "Is anything wrong with this pod, for what its agent is asked to do?",
    R"(Runs the checks that the agent runs at its start, with the agent's own settings from the
environment, and those of the network. Each line has what is so and what to do. FAIL: something that
was asked for cannot work. warn: it works, but slower or with less. -o wide shows every RDMA port
and address that could be used, and why it is or is not. Run it in the agent's pod. It takes less
than two seconds: a bootstrap service that does not answer within one fails. Exit status 1 when a
check fails.

  batonctl doctor
  batonctl doctor --transport=verbs -o wide)",
    0,
    0,
    AddRows,
    Run,
    ArgumentKind::kNone,
    /*environment=*/true,
    // With a second for names beside it and half of one for peers after it: less than two.
    /*timeout_ms_max=*/1000,
};

}  // namespace baton::ctl

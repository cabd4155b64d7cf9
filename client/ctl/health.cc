// batonctl health
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "baton/v1/report.pb.h"
#include "client/ctl/commands.h"
#include "common/reason.h"

namespace baton::ctl {
namespace {

void AddRows(Options* options, ConfigTable* table) {
  table->Text("service", &options->service, "name",
              "Which health: startup, readiness or liveness; empty: the program as a whole.");
}

absl::StatusOr<std::string> AddressOf(const Invocation& call) {
  if (call.arguments.empty()) return call.options.bootstrap;
  const std::string& text = call.arguments[0];
  if (absl::StartsWith(text, "unix:")) return text;
  if (std::string wrong = CheckHostPort(text); !wrong.empty()) {
    return Error(Reason::kConfig, absl::StrCat("'", text, "' is no address: ", wrong,
                                               "; write host:port or unix:PATH"));
  }
  return text;
}

absl::Status Run(const Invocation& call) {
  auto address = AddressOf(call);
  if (!address.ok()) return address.status();
  auto health = call.services->CheckHealth(*address, call.options.service);
  if (!health.ok()) return health.status();
  v1::HealthReport report;
  report.set_address(*address);
  report.set_service(call.options.service);
  report.set_status(*health == Health::kServing      ? "SERVING"
                    : *health == Health::kNotServing ? "NOT_SERVING"
                                                     : "UNKNOWN");
  if (*health != Health::kServing) *call.verdict = kExitError;
  const std::string service = report.service().empty() ? "-" : report.service();
  call.printer->Show(
      report,
      {{"", {{"ADDRESS", "SERVICE", "STATUS"}, {{*address, service, report.status()}}}, ""}});
  return absl::OkStatus();
}

}  // namespace

const Command kHealth = {
    "health",
    "[ADDRESS]",
    "Asks a program's gRPC health service, as a kubelet's probe does.",
    R"(ADDRESS is what --probe_listen of baton-agent or baton-bootstrap is bound to; without it the
bootstrap service itself is asked. Exit status 0 when it is serving, 1 when it is not, 3 when it
knows no such service, 4 when nobody answers.

  batonctl health
  batonctl health 127.0.0.1:7412 --service=readiness)",
    0,
    1,
    AddRows,
    Run,
    ArgumentKind::kAddress,
};

}  // namespace baton::ctl

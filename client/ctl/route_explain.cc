// batonctl route explain
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "baton/v1/report.pb.h"
#include "client/ctl/commands.h"
#include "client/ctl/names.h"
#include "client/ctl/server_view.h"
#include "client/router/explain.h"

namespace baton::ctl {
namespace {

void AddCheck(absl::string_view what, std::string prefill, std::string decode,
              v1::RouteReport* report) {
  v1::RouteCheck* check = report->add_checks();
  check->set_what(std::string(what));
  check->set_prefill(std::move(prefill));
  check->set_decode(std::move(decode));
  check->set_ok(true);
}

// What routers look at, in the order in which they do.
v1::RouteReport ReportOf(const v1::ServerRecord& prefill, const v1::ServerRecord& decode) {
  v1::RouteReport report;
  report.set_prefill(prefill.name());
  report.set_decode(decode.name());
  AddCheck("role", ShowRole(prefill.role()), ShowRole(decode.role()), &report);
  AddCheck("model", prefill.model(), decode.model(), &report);
  AddCheck("state", ShowState(prefill.state()), ShowState(decode.state()), &report);
  AddCheck("ranks", ShowFilled(prefill), ShowFilled(decode), &report);
  AddCheck("sizes", ShowSizes(prefill.spec().sizes()), ShowSizes(decode.spec().sizes()), &report);
  const std::vector<Obstacle> obstacles = ExplainPair(prefill, decode);
  report.set_usable(obstacles.empty());
  for (const Obstacle& obstacle : obstacles) {
    v1::RouteCheck* check = nullptr;
    for (v1::RouteCheck& known : *report.mutable_checks()) {
      if (known.what() == obstacle.field) check = &known;
    }
    if (check == nullptr) {
      check = report.add_checks();
      check->set_what(obstacle.field);
    }
    check->set_prefill(obstacle.prefill);
    check->set_decode(obstacle.decode);
    check->set_ok(false);
    check->set_why(absl::StrCat(ReasonName(obstacle.reason), ": ", ReasonHelp(obstacle.reason)));
  }
  return report;
}

absl::Status Run(const Invocation& call) {
  v1::ResolveRouteRequest request;
  request.set_prefill(call.arguments[0]);
  request.set_decode(call.arguments[1]);
  auto route = call.services->ResolveRoute(request);
  if (!route.ok()) return route.status();
  const v1::RouteReport report = ReportOf(route->prefill(), route->decode());
  Section section{"", {{"WHAT", report.prefill(), report.decode(), "", "WHY"}, {}}, ""};
  for (const v1::RouteCheck& check : report.checks()) {
    section.table.rows.push_back(
        {check.what(), check.prefill(), check.decode(), check.ok() ? "ok" : "NO", check.why()});
  }
  if (!report.usable()) *call.verdict = kExitError;
  call.printer->Show(
      report,
      {section,
       {"", {}, report.usable() ? "routers may pick this pair" : "routers do not pick this pair"}});
  return absl::OkStatus();
}

}  // namespace

const Command kRouteExplain = {
    "route explain",
    "PREFILL DECODE",
    "Why routers pick a pair of servers, or do not.",
    R"(Asks the bootstrap service for both and looks at them as the router client does: roles,
models, states, and whether the two layouts can be planned. What stands between them is named with
both values. Exit status 0 when the pair may be picked, 1 when not, 3 when a server is not there.

  batonctl route explain prefill-a decode-a)",
    2,
    2,
    nullptr,
    Run,
    ArgumentKind::kServer,
};

}  // namespace baton::ctl

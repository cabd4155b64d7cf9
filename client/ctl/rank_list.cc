// batonctl rank list
#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "baton/v1/report.pb.h"
#include "client/ctl/commands.h"
#include "client/ctl/names.h"
#include "common/reason.h"

namespace baton::ctl {
namespace {

void AddRows(Options* options, ConfigTable* table) {
  table->Choice("role", &options->role, {"any", "prefill", "decode"}, "Ranks of this role.");
  table->Bool("missing", &options->missing, "Only those that have no live lease.");
}

v1::RankReport ReportOf(const v1::ServerRecord& server, const v1::RankCoord& coord) {
  v1::RankReport report;
  report.set_server(server.name());
  *report.mutable_coord() = coord;
  report.set_role(server.role());
  report.set_incarnation(server.incarnation());
  report.set_server_state(ShowState(server.state()));
  return report;
}

void AddServer(const v1::ServerRecord& server, bool only_missing, v1::RankListReport* report) {
  for (const v1::RankRecord& rank : server.ranks()) {
    if (only_missing) break;
    v1::RankReport& one = *report->add_ranks() = ReportOf(server, rank.coord());
    one.set_state("up");
    one.set_agent_address(rank.agent_address());
    one.set_epoch(rank.epoch());
  }
  for (const v1::RankCoord& coord : server.missing()) {
    v1::RankReport& one = *report->add_ranks() = ReportOf(server, coord);
    one.set_state("missing");
  }
}

std::string Sentence(const v1::RankListReport& report, uint32_t unlisted) {
  if (unlisted == 0) return "";
  return absl::StrCat(unlisted, " more are missing (", report.ranks_size(), " are listed)");
}

absl::Status Run(const Invocation& call) {
  v1::ListServersRequest request;
  if (call.options.role == "prefill") request.set_role(v1::ROLE_PREFILL);
  if (call.options.role == "decode") request.set_role(v1::ROLE_DECODE);
  auto response = call.services->ListServers(request);
  if (!response.ok()) return response.status();
  std::set<std::string> wanted(call.arguments.begin(), call.arguments.end());
  v1::RankListReport report;
  uint32_t unlisted = 0;
  for (const v1::ServerRecord& server : response->servers()) {
    if (!call.arguments.empty() && wanted.erase(server.name()) == 0) continue;
    AddServer(server, call.options.missing, &report);
    unlisted +=
        server.missing_count() - std::min<uint32_t>(server.missing_count(), server.missing_size());
  }
  if (!wanted.empty()) {
    return Error(Reason::kUnknownServer,
                 absl::StrCat("no server '", absl::StrJoin(wanted, "', '"), "'",
                              call.options.role == "any" ? "" : " of that role"));
  }
  Section section{
      "",
      {{"RANK", "STATE", "ROLE", "AGENT", "EPOCH", "INCARNATION", "SERVER STATE"}, {}, 4},
      call.options.missing ? "no rank is missing" : "no rank is registered"};
  for (const v1::RankReport& rank : report.ranks()) {
    const bool up = rank.state() == "up";
    section.table.rows.push_back({absl::StrCat(rank.server(), "[", ShowCoord(rank.coord()), "]"),
                                  rank.state(), ShowRole(rank.role()),
                                  up ? rank.agent_address() : "-",
                                  up ? absl::StrCat(rank.epoch()) : "-",
                                  absl::StrCat(rank.incarnation()), rank.server_state()});
  }
  View view = {section};
  if (unlisted > 0) view.push_back({"", {}, Sentence(report, unlisted)});
  call.printer->Show(report, view);
  return absl::OkStatus();
}

}  // namespace

const Command kRankList = {
    "rank list",
    "[SERVER...]",
    "Every rank of every server: is it up, and which agent has it?",
    R"(One line a rank, those of a server in the order dp, pp, cp, tp, its missing ones last. AGENT
is what --agent of other verbs takes. Exit status 3 when a server that is named is not there.

  batonctl rank list --missing
  batonctl rank list prefill-a decode-a -o wide)",
    0,
    64,
    AddRows,
    Run,
    ArgumentKind::kServer,
};

}  // namespace baton::ctl

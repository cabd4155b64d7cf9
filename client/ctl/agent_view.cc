#include "client/ctl/agent_view.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/ctl/names.h"

namespace baton::ctl {
namespace {

Section Facts(const v1::AgentStatusResponse& status) {
  Section section{"agent",
                  {{"FIELD", "VALUE"},
                   {{"version", status.version()},
                    {"address", status.address()},
                    {"epoch", absl::StrCat(status.epoch())},
                    {"workers", absl::StrCat(status.workers())},
                    {"draining", status.draining() ? "yes: no new rooms" : "no"},
                    {"rooms done", absl::StrCat(status.rooms_done())},
                    {"rooms failed", absl::StrCat(status.rooms_failed())},
                    {"sent", ShowBytes(status.bytes_sent())},
                    {"landed", ShowBytes(status.bytes_landed())},
                    {"copied", ShowBytes(status.bytes_copied())}}},
                  ""};
  for (const std::string& warning : status.warnings()) {
    section.table.rows.push_back({"warning", warning});
  }
  return section;
}

Section Ranks(const v1::AgentStatusResponse& status) {
  Section section{"ranks",
                  {{"RANK", "ROLE", "REGISTERED", "ROOMS", "DONE", "FAILED", "MOVED", "POOL",
                    "WORKER", "INCARNATION"},
                   {},
                   /*wide_from=*/8},
                  "no engine is attached"};
  for (const v1::HostedRank& rank : status.ranks()) {
    std::string registered = rank.registered() ? "yes" : "no";
    if (!rank.registration_error().empty()) {
      absl::StrAppend(&registered, ": ", rank.registration_error());
    }
    section.table.rows.push_back({ShowRank(rank.rank()), ShowRole(rank.role()), registered,
                                  absl::StrCat(rank.rooms()), absl::StrCat(rank.rooms_done()),
                                  absl::StrCat(rank.rooms_failed()), ShowBytes(rank.bytes()),
                                  ShowBytes(rank.pool_bytes()), absl::StrCat(rank.worker()),
                                  absl::StrCat(rank.incarnation())});
  }
  return section;
}

Section Peers(const v1::AgentStatusResponse& status) {
  Section section{"peers",
                  {{"AGENT", "STATE", "TRANSPORT", "EPOCH"}, {}, /*wide_from=*/3},
                  "no other agent is linked"};
  for (const v1::PeerStatus& peer : status.peers()) {
    section.table.rows.push_back({peer.agent_address(), peer.state(),
                                  peer.transport().empty() ? "-" : peer.transport(),
                                  absl::StrCat(peer.epoch())});
  }
  return section;
}

Section Transports(const v1::AgentStatusResponse& status) {
  Section section{"transports", {{"TRANSPORT", "ON", "WHAT"}, {}}, "none is named"};
  for (const v1::TransportStatus& transport : status.transports()) {
    section.table.rows.push_back(
        {transport.name(), transport.on() ? "yes" : "no", transport.summary()});
    for (const std::string& candidate : transport.candidates()) {
      section.table.rows.push_back({"", "", candidate});
    }
  }
  return section;
}

absl::string_view ShowVerdict(v1::CheckVerdict verdict) {
  switch (verdict) {
    case v1::CHECK_VERDICT_OK:
      return "ok";
    case v1::CHECK_VERDICT_WARN:
      return "warn";
    case v1::CHECK_VERDICT_FAIL:
      return "FAIL";
    default:
      return "?";
  }
}

}  // namespace

View AgentView(const v1::AgentStatusResponse& status) {
  View view{Facts(status), Ranks(status), Peers(status)};
  // An older agent names none.
  if (status.transports_size() > 0) view.push_back(Transports(status));
  return view;
}

Section FindingsSection(const google::protobuf::RepeatedPtrField<v1::CheckFinding>& findings) {
  Section section{"checks", {{"CHECK", "", "WHAT IS SO", "WHAT TO DO"}, {}}, "none was made"};
  for (const v1::CheckFinding& finding : findings) {
    section.table.rows.push_back({finding.check(), std::string(ShowVerdict(finding.verdict())),
                                  finding.cause(), finding.cure()});
  }
  return section;
}

}  // namespace baton::ctl

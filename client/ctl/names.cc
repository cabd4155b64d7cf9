#include "client/ctl/names.h"

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/reason.h"

namespace baton::ctl {
namespace {

// "SERVER_STATE_READY" to "ready", by the prefix that all values of the enumeration have.
std::string Short(absl::string_view name, absl::string_view prefix) {
  if (!absl::ConsumePrefix(&name, prefix)) return "?";
  return absl::StrReplaceAll(absl::AsciiStrToLower(name), {{"_", "-"}});
}

absl::Status Bad(absl::string_view what, absl::string_view text, absl::string_view form) {
  return Error(Reason::kConfig, absl::StrCat("'", text, "' is no ", what, ": write ", form));
}

}  // namespace

std::string ShowRole(v1::Role role) { return Short(v1::Role_Name(role), "ROLE_"); }
std::string ShowState(v1::ServerState state) {
  return Short(v1::ServerState_Name(state), "SERVER_STATE_");
}
std::string ShowCpSharding(v1::CpSharding sharding) {
  return Short(v1::CpSharding_Name(sharding), "CP_SHARDING_");
}
std::string ShowKind(v1::Kind kind) { return Short(v1::Kind_Name(kind), "KIND_"); }

std::string ShowCoord(const v1::RankCoord& c) {
  return ToString(RankCoord{c.dp(), c.pp(), c.cp(), c.tp()});
}
std::string ShowRank(const v1::RankRef& rank) {
  return absl::StrCat(rank.server(), "[", ShowCoord(rank.coord()), "]");
}
std::string ShowRoom(const v1::RoomKey& room) { return ToString(RoomKey{room.id(), room.nonce()}); }

absl::StatusOr<v1::RoomKey> ParseRoom(absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '#');
  uint64_t id = 0, nonce = 0;
  const bool good = parts.size() <= 2 && absl::SimpleAtoi(parts[0], &id) &&
                    (parts.size() == 1 || absl::SimpleAtoi(parts[1], &nonce));
  if (!good) return Bad("room", text, "ID or ID#NONCE, as room list does");
  v1::RoomKey room;
  room.set_id(id);
  room.set_nonce(nonce);
  return room;
}

absl::StatusOr<v1::RankRef> ParseRank(absl::string_view text) {
  const absl::Status bad = Bad("rank", text, "SERVER[dp0/pp0/cp0/tp0], as room list does");
  absl::string_view rest = text;
  const size_t open = rest.find('[');
  if (open == absl::string_view::npos || open == 0 || !absl::ConsumeSuffix(&rest, "]")) return bad;
  const std::vector<absl::string_view> parts = absl::StrSplit(rest.substr(open + 1), '/');
  uint32_t values[4];
  constexpr absl::string_view kAxes[] = {"dp", "pp", "cp", "tp"};
  if (parts.size() != 4) return bad;
  for (size_t i = 0; i < 4; ++i) {
    absl::string_view part = parts[i];
    if (!absl::ConsumePrefix(&part, kAxes[i]) || !absl::SimpleAtoi(part, &values[i])) return bad;
  }
  v1::RankRef rank;
  rank.set_server(std::string(rest.substr(0, open)));
  rank.mutable_coord()->set_dp(values[0]);
  rank.mutable_coord()->set_pp(values[1]);
  rank.mutable_coord()->set_cp(values[2]);
  rank.mutable_coord()->set_tp(values[3]);
  return rank;
}

}  // namespace baton::ctl

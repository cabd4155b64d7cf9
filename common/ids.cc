#include "common/ids.h"

#include "absl/strings/str_cat.h"

namespace baton {

std::string ToString(const RankCoord& c) {
  return absl::StrCat("dp", c.dp, "/pp", c.pp, "/cp", c.cp, "/tp", c.tp);
}

std::string ToString(const RankRef& rank) {
  return absl::StrCat(rank.server, "[", ToString(rank.coord), "]");
}

std::string ToString(const RoomKey& room) {
  if (room.nonce == 0) return absl::StrCat(room.id);
  return absl::StrCat(room.id, "#", room.nonce);
}

std::string ToString(Role role) { return role == Role::kPrefill ? "prefill" : "decode"; }

}  // namespace baton

// The decode side of a room: one dp group of one server. A room has one; who speaks of it second is
// a stranger to it.
#ifndef BATON_TRANSFER_AGENT_ROOM_TARGET_GROUP_H_
#define BATON_TRANSFER_AGENT_ROOM_TARGET_GROUP_H_

#include <compare>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/ids.h"

namespace baton::room {

struct TargetGroup {
  std::string server;
  uint32_t dp = 0;

  auto operator<=>(const TargetGroup&) const = default;
};

inline TargetGroup GroupOf(const RankRef& target) { return {target.server, target.coord.dp}; }

// "dp rank 0 of decode-a"
inline std::string ToString(const TargetGroup& group) {
  return absl::StrCat("dp rank ", group.dp, " of ", group.server);
}

}  // namespace baton::room

#endif  // BATON_TRANSFER_AGENT_ROOM_TARGET_GROUP_H_

// Enumerations and ids of the schema in the words that operators read and type.
#ifndef BATON_CLIENT_CTL_NAMES_H_
#define BATON_CLIENT_CTL_NAMES_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "baton/v1/layout.pb.h"
#include "baton/v1/registry.pb.h"
#include "baton/v1/types.pb.h"
#include "common/ids.h"

namespace baton::ctl {

// "prefill", "ready", "zigzag", "latent"; "?" for a value of a newer version.
std::string ShowRole(v1::Role role);
std::string ShowState(v1::ServerState state);
std::string ShowCpSharding(v1::CpSharding sharding);
std::string ShowKind(v1::Kind kind);

// "dp0/pp1/cp0/tp1", "prefill-a[dp0/pp1/cp0/tp1]", "42#7".
std::string ShowCoord(const v1::RankCoord& coord);
std::string ShowRank(const v1::RankRef& rank);
std::string ShowRoom(const v1::RoomKey& room);

// What ShowRoom and ShowRank write. CONFIG names what is wrong.
absl::StatusOr<v1::RoomKey> ParseRoom(absl::string_view text);
absl::StatusOr<v1::RankRef> ParseRank(absl::string_view text);

}  // namespace baton::ctl

#endif  // BATON_CLIENT_CTL_NAMES_H_

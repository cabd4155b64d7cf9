// Bounds of an announcement: as many ranks as a pod can host, layouts as large as real ones.
#ifndef BATON_TRANSFER_AGENT_CONTROL_VALIDATE_ANNOUNCE_H_
#define BATON_TRANSFER_AGENT_CONTROL_VALIDATE_ANNOUNCE_H_

#include "absl/status/status.h"
#include "baton/v1/control.pb.h"

namespace baton::control {

absl::Status ValidateAnnounce(const v1::Announce& announce);
absl::Status ValidateRankRef(absl::string_view path, const v1::RankRef& rank);

}  // namespace baton::control

#endif  // BATON_TRANSFER_AGENT_CONTROL_VALIDATE_ANNOUNCE_H_

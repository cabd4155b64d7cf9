// Causes on the wire between agents.
#ifndef BATON_TRANSFER_AGENT_WORKER_ERROR_DETAIL_H_
#define BATON_TRANSFER_AGENT_WORKER_ERROR_DETAIL_H_

#include "absl/status/status.h"
#include "baton/v1/types.pb.h"
#include "common/ids.h"

namespace baton::worker {

v1::ErrorDetail ToDetail(const absl::Status& status);
// Never OK; text is cut at 512 bytes. An unknown reason of a newer peer becomes UNKNOWN.
absl::Status FromDetail(const v1::ErrorDetail& detail);

void ToProto(const RankRef& rank, v1::RankRef* out);
RankRef FromProto(const v1::RankRef& rank);
void ToProto(const RoomKey& room, v1::RoomKey* out);
RoomKey FromProto(const v1::RoomKey& room);

}  // namespace baton::worker

#endif  // BATON_TRANSFER_AGENT_WORKER_ERROR_DETAIL_H_

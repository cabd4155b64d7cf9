// Identities in the agents' messages.
#ifndef BATON_TRANSFER_AGENT_WORKER_WIRE_IDS_H_
#define BATON_TRANSFER_AGENT_WORKER_WIRE_IDS_H_

#include "baton/v1/control.pb.h"
#include "common/ids.h"
#include "transfer_agent/transport/transport.h"

namespace baton::worker {

void ToProto(const RankRef& rank, v1::RankRef* out);
RankRef FromProto(const v1::RankRef& rank);
void ToProto(const RoomKey& room, v1::RoomKey* out);
RoomKey FromProto(const v1::RoomKey& room);
// `worker` is the target's: an offer's name is that worker's.
void ToProto(transport::OfferId offer, uint32_t worker, v1::OfferId* out);
transport::OfferId FromProto(const v1::OfferId& offer);

}  // namespace baton::worker

#endif  // BATON_TRANSFER_AGENT_WORKER_WIRE_IDS_H_

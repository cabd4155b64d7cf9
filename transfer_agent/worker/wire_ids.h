// Identities in the agents' messages.
#ifndef BATON_TRANSFER_AGENT_WORKER_WIRE_IDS_H_
#define BATON_TRANSFER_AGENT_WORKER_WIRE_IDS_H_

#include <chrono>
#include <cstdint>

#include "baton/v1/control.pb.h"
#include "common/clock.h"
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

// Whole milliseconds since `then`, rounded down, so that nothing is said to be older than it is.
inline uint32_t MillisSince(TimePoint then, TimePoint now) {
  if (now <= then) return 0;
  const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(now - then).count();
  return passed > UINT32_MAX ? UINT32_MAX : static_cast<uint32_t>(passed);
}

}  // namespace baton::worker

#endif  // BATON_TRANSFER_AGENT_WORKER_WIRE_IDS_H_

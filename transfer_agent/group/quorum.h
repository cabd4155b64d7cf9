// How many seats decide: more than half, where the first seat of an even group counts twice. So any
// two deciding sets share a seat, and of two ranks the first goes on when the other dies.
#ifndef BATON_TRANSFER_AGENT_GROUP_QUORUM_H_
#define BATON_TRANSFER_AGENT_GROUP_QUORUM_H_

#include <cstdint>

#include "transfer_agent/group/messages.h"

namespace baton::group {

// `has(seat)`: whether the seat is in the set.
template <typename Has>
bool Decides(SeatIndex seats, Has has) {
  uint32_t weight = 0;
  for (SeatIndex seat = 0; seat < seats; ++seat) {
    if (has(seat)) weight += seat == 0 && seats % 2 == 0 ? 2 : 1;
  }
  return 2 * weight > seats + (seats % 2 == 0 ? 1 : 0);
}

}  // namespace baton::group

#endif  // BATON_TRANSFER_AGENT_GROUP_QUORUM_H_

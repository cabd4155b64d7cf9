// What a seat of a group is to the others. Drawn in docs/states/group_seat.dot.
#ifndef BATON_TRANSFER_AGENT_GROUP_SEAT_STATES_H_
#define BATON_TRANSFER_AGENT_GROUP_SEAT_STATES_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "common/state_table.h"

namespace baton::group {

enum class SeatState : uint8_t {
  kFollowing,    // holds what the leader of its term sends
  kCampaigning,  // asks the others what they hold
  kLeading,      // makes the entries
};

enum class SeatEvent : uint8_t {
  kCampaign,  // no leader is there, and no seat before this one
  kElected,   // enough seats have promised
  kOutranked  // another seat has a later term
};

inline constexpr Transition<SeatState, SeatEvent> kSeatRows[] = {
    {SeatState::kFollowing, SeatEvent::kCampaign, SeatState::kCampaigning},
    {SeatState::kFollowing, SeatEvent::kOutranked, SeatState::kFollowing},
    {SeatState::kCampaigning, SeatEvent::kCampaign, SeatState::kCampaigning},
    {SeatState::kCampaigning, SeatEvent::kElected, SeatState::kLeading},
    {SeatState::kCampaigning, SeatEvent::kOutranked, SeatState::kFollowing},
    {SeatState::kLeading, SeatEvent::kOutranked, SeatState::kFollowing},
};

constexpr absl::string_view Name(SeatState state) {
  switch (state) {
    case SeatState::kFollowing:
      return "following";
    case SeatState::kCampaigning:
      return "campaigning";
    case SeatState::kLeading:
      return "leading";
  }
  return "?";
}

constexpr absl::string_view Name(SeatEvent event) {
  switch (event) {
    case SeatEvent::kCampaign:
      return "campaign";
    case SeatEvent::kElected:
      return "elected";
    case SeatEvent::kOutranked:
      return "outranked";
  }
  return "?";
}

}  // namespace baton::group

#endif  // BATON_TRANSFER_AGENT_GROUP_SEAT_STATES_H_

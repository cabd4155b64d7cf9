#include "transfer_agent/worker/room_record.h"

namespace baton::worker {
namespace {

LegRecord RecordOfLeg(const room::TargetLeg& leg) {
  return {leg.target,
          leg.transport == nullptr ? "" : leg.transport->capabilities().name,
          leg.bytes_submitted,
          leg.bytes_expected,
          leg.sent,
          leg.landed};
}

LegRecord RecordOfLeg(const room::SourceLeg& leg) {
  return {leg.source,       leg.transport == nullptr ? "" : leg.transport->capabilities().name,
          leg.bytes_landed, leg.bytes_expected,
          leg.sent,         leg.AllIn()};
}

template <typename Entry>
RoomRecord Make(const Entry& entry, const HostedRank& rank, uint64_t bytes) {
  RoomRecord record;
  record.key = entry.room.key();
  record.rank = rank.ref();
  record.role = rank.attached->role;
  record.state = Name(entry.room.state());
  record.cause = entry.room.cause();
  record.bytes = bytes;
  record.stages = entry.stages;
  record.leg_count = static_cast<uint32_t>(entry.room.legs().size());
  const bool went_well = IsTerminal(entry.room.state()) && record.cause.ok();
  for (size_t i = 0; !went_well && i < entry.room.legs().size(); ++i) {
    if (i == RoomHistory::kLegsMax) break;
    record.legs.push_back(RecordOfLeg(entry.room.legs()[i]));
  }
  return record;
}

}  // namespace

RoomRecord RecordOf(const RoomEntry<room::SourceRoom>& entry, const HostedRank& rank) {
  return Make(entry, rank, entry.room.bytes_submitted());
}

RoomRecord RecordOf(const RoomEntry<room::TargetRoom>& entry, const HostedRank& rank) {
  return Make(entry, rank, entry.room.bytes_landed());
}

}  // namespace baton::worker

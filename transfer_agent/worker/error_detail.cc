#include "transfer_agent/worker/error_detail.h"

#include <string>

#include "common/reason.h"

namespace baton::worker {

v1::ErrorDetail ToDetail(const absl::Status& status) {
  v1::ErrorDetail detail;
  detail.set_reason(std::string(ReasonName(ReasonOf(status))));
  detail.set_message(std::string(status.message()));
  if (auto rank = RankOf(status); rank.has_value()) ToProto(*rank, detail.mutable_rank());
  return detail;
}

absl::Status FromDetail(const v1::ErrorDetail& detail) {
  constexpr size_t kTextMax = 512;
  const std::string text = detail.message().substr(0, kTextMax);
  const Reason reason = ReasonFromName(detail.reason());
  if (!detail.has_rank()) return Error(reason, text);
  return Error(reason, text, FromProto(detail.rank()));
}

void ToProto(const RankRef& rank, v1::RankRef* out) {
  out->set_server(rank.server);
  out->mutable_coord()->set_dp(rank.coord.dp);
  out->mutable_coord()->set_pp(rank.coord.pp);
  out->mutable_coord()->set_cp(rank.coord.cp);
  out->mutable_coord()->set_tp(rank.coord.tp);
}

RankRef FromProto(const v1::RankRef& rank) {
  const v1::RankCoord& c = rank.coord();
  return {rank.server(), {c.dp(), c.pp(), c.cp(), c.tp()}};
}

void ToProto(const RoomKey& room, v1::RoomKey* out) {
  out->set_id(room.id);
  out->set_nonce(room.nonce);
}

RoomKey FromProto(const v1::RoomKey& room) { return {room.id(), room.nonce()}; }

}  // namespace baton::worker

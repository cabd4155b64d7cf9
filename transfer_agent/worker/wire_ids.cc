#include "transfer_agent/worker/wire_ids.h"

namespace baton::worker {

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

void ToProto(transport::OfferId offer, uint32_t worker, v1::OfferId* out) {
  out->set_slot(offer.slot);
  out->set_generation(offer.generation);
  out->set_worker(worker);
}

transport::OfferId FromProto(const v1::OfferId& offer) {
  return {static_cast<uint16_t>(offer.slot()), static_cast<uint16_t>(offer.generation())};
}

}  // namespace baton::worker

#include "client/router/pool.h"

namespace baton::router {

Seats Pool::Join(uint32_t id, absl::string_view name, const Places& places, uint64_t key) {
  Seats seats;
  for (uint64_t place : places) seats.push_back(Of(place)->Add(id, key));
  ring_.Add(name, id);
  return seats;
}

void Pool::SetKey(const Places& places, const Seats& seats, uint64_t key) {
  for (size_t level = 0; level < places.size(); ++level) {
    Of(places[level])->SetKey(seats[level], key);
  }
}

const Tournament* Pool::At(uint64_t place) const {
  if (place == kEverywhere) return everywhere_.empty() ? nullptr : &everywhere_;
  auto it = elsewhere_.find(place);
  return it == elsewhere_.end() ? nullptr : &it->second;
}

}  // namespace baton::router

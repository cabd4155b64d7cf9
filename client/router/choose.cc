#include "client/router/choose.h"

namespace baton::router {
namespace {

// Draws before the search becomes a systematic one.
constexpr int kDraws = 4;

struct Seat {
  uint32_t id;
  uint64_t key;
};

uint32_t SizeOf(const Candidates& from) {
  uint32_t size = 0;
  for (const Pool* pool : from.pools) size += pool->size();
  return size;
}

// The members of all pools, numbered through.
Seat At(const Candidates& from, uint32_t number) {
  auto pool = from.pools.begin();
  while (number >= (*pool)->size()) number -= (*pool++)->size();
  return {(*pool)->id(number), (*pool)->key(number)};
}

void Take(const Candidates& from, Seat seat, std::optional<Seat>* best) {
  if (from.Avoided(seat.id)) return;
  if (!*best || seat.key < (*best)->key) *best = seat;
}

}  // namespace

Choice ChooseInTurn(const Candidates& from, uint64_t* turn) {
  const uint32_t size = SizeOf(from);
  for (uint32_t tried = 0; tried < size; ++tried) {
    const Seat seat = At(from, static_cast<uint32_t>((*turn)++ % size));
    if (!from.Avoided(seat.id)) return seat.id;
  }
  return std::nullopt;
}

Choice ChooseOfTwo(const Candidates& from, Random* random) {
  const uint32_t size = SizeOf(from);
  if (size < 2) return ChooseLeast(from);
  for (int draw = 0; draw < kDraws; ++draw) {
    const auto first = static_cast<uint32_t>(random->Below(size));
    auto second = static_cast<uint32_t>(random->Below(size - 1));
    if (second >= first) ++second;
    std::optional<Seat> best;
    Take(from, At(from, first), &best);
    Take(from, At(from, second), &best);
    if (best) return best->id;
  }
  return ChooseLeast(from);
}

Choice ChooseLeast(const Candidates& from, uint64_t place) {
  std::optional<Seat> best;
  for (const Pool* pool : from.pools) {
    const Tournament* there = pool->At(place);
    if (there == nullptr) continue;
    const uint32_t first = there->best();
    if (!from.Avoided(there->id(first))) {
      Take(from, {there->id(first), there->key(first)}, &best);
      continue;
    }
    for (uint32_t seat = 0; seat < there->size(); ++seat) {
      Take(from, {there->id(seat), there->key(seat)}, &best);
    }
  }
  if (!best) return std::nullopt;
  return best->id;
}

Choice ChooseNearest(const Candidates& from, const Places& places) {
  for (auto place = places.rbegin(); place != places.rend(); ++place) {
    if (Choice choice = ChooseLeast(from, *place)) return choice;
  }
  return std::nullopt;
}

Choice ChooseOwner(const Candidates& from, uint64_t point) {
  std::optional<Seat> best;
  for (const Pool* pool : from.pools) {
    const Ring& ring = pool->ring();
    if (ring.arcs() == 0) continue;
    auto arc = ring.From(point);
    for (size_t seen = 1; seen < ring.arcs() && from.Avoided(arc->second); ++seen) {
      arc = ring.Next(arc);
    }
    // The distance on the circle, over its seam as well.
    Take(from, {arc->second, arc->first - point}, &best);
  }
  if (!best) return std::nullopt;
  return best->id;
}

}  // namespace baton::router

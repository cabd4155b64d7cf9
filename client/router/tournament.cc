#include "client/router/tournament.h"

#include <algorithm>

namespace baton::router {

uint32_t Tournament::Add(uint32_t id, uint64_t key) {
  players_.push_back({id, key});
  if (players_.size() > leaves_) Grow();
  Replay(size() - 1);
  return size() - 1;
}

uint32_t Tournament::Remove(uint32_t seat) {
  const uint32_t last = size() - 1;
  const uint32_t moved = players_[last].id;
  players_[seat] = players_[last];
  players_.pop_back();
  Replay(last);
  if (seat != last) Replay(seat);
  return moved;
}

void Tournament::SetKey(uint32_t seat, uint64_t key) {
  players_[seat].key = key;
  Replay(seat);
}

void Tournament::Replay(uint32_t seat) {
  for (uint32_t node = (leaves_ + seat) / 2; node >= 1; node /= 2) {
    const uint32_t left = tree_[2 * node];
    const uint32_t right = tree_[2 * node + 1];
    tree_[node] = KeyAt(right) < KeyAt(left) ? right : left;
  }
}

void Tournament::Grow() {
  // Two leaves at least, so that the root is a duel.
  leaves_ = std::max(2U, leaves_ * 2);
  tree_.assign(2 * leaves_, 0);
  for (uint32_t seat = 0; seat < leaves_; ++seat) tree_[leaves_ + seat] = seat;
  for (uint32_t node = leaves_ - 1; node >= 1; --node) {
    const uint32_t left = tree_[2 * node];
    const uint32_t right = tree_[2 * node + 1];
    tree_[node] = KeyAt(right) < KeyAt(left) ? right : left;
  }
}

}  // namespace baton::router

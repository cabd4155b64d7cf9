// A set of servers that always knows the one with the least key: a tree of duels, in which a key
// that changes plays again on its way up alone. Pure; thread-compatible.
#ifndef BATON_CLIENT_ROUTER_TOURNAMENT_H_
#define BATON_CLIENT_ROUTER_TOURNAMENT_H_

#include <cstdint>
#include <vector>

namespace baton::router {

class Tournament {
 public:
  uint32_t size() const { return static_cast<uint32_t>(players_.size()); }
  bool empty() const { return players_.empty(); }

  // Where the new member sits; it keeps its seat until Remove says otherwise.
  uint32_t Add(uint32_t id, uint64_t key);
  // The last member takes the empty seat; its id, or `id` of the one removed when it was the last.
  uint32_t Remove(uint32_t seat);
  void SetKey(uint32_t seat, uint64_t key);

  uint32_t id(uint32_t seat) const { return players_[seat].id; }
  uint64_t key(uint32_t seat) const { return players_[seat].key; }
  // The seat with the least key, the lower seat where two are equal. Not empty.
  uint32_t best() const { return tree_[1]; }

 private:
  struct Player {
    uint32_t id;
    uint64_t key;
  };

  uint64_t KeyAt(uint32_t seat) const {
    return seat < players_.size() ? players_[seat].key : UINT64_MAX;
  }
  void Replay(uint32_t seat);
  void Grow();

  std::vector<Player> players_;
  // tree_[leaves_ + seat] == seat; above it, the winner of each duel.
  std::vector<uint32_t> tree_;
  uint32_t leaves_ = 0;
};

}  // namespace baton::router

#endif  // BATON_CLIENT_ROUTER_TOURNAMENT_H_

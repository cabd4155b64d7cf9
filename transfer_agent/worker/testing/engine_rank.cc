// The engine's side of the test world: a layout, a pool, and content that can be checked.
#include "common/reason.h"
#include "transfer_agent/worker/testing/world.h"

namespace baton::worker {
namespace {

constexpr uint32_t kHeads = 4;
constexpr uint32_t kHeadBytes = 8;

std::byte ContentOf(uint64_t room, uint32_t layer, uint32_t tensor, uint64_t token, uint32_t head,
                    uint32_t byte) {
  uint64_t x = room * 0x9e3779b97f4a7c15u + layer * 0xbf58476d1ce4e5b9u + tensor * 131 +
               token * 0x94d049bb133111ebu + head * 31 + byte * 7 + 1;
  x ^= x >> 29;
  x *= 0xbf58476d1ce4e5b9u;
  return static_cast<std::byte>(x >> 56);
}

// Calls visit(byte in the pool, content) for every byte of the rank's paged tensors.
template <typename Pool, typename Visit>
void Walk(const EngineRank& rank, Pool& pool, uint64_t room, const std::vector<int32_t>& pages,
          uint64_t begin, uint64_t end, Visit visit) {
  const uint32_t heads = kHeads / rank.spec.sizes.tp;
  const uint64_t first_page = begin / EngineRank::kPageTokens;
  for (const planner::BufferLayout& buffer : rank.layout.buffers) {
    if (rank.spec.tensors[buffer.tensor].kind == planner::Kind::kAux) continue;
    for (uint64_t token = begin; token < end; ++token) {
      const int32_t page = pages[token / EngineRank::kPageTokens - first_page];
      for (uint32_t h = 0; h < heads; ++h) {
        for (uint32_t b = 0; b < kHeadBytes; ++b) {
          const uint64_t at = buffer.offset + page * buffer.page_stride +
                              (token % EngineRank::kPageTokens) * buffer.entry_stride +
                              h * buffer.head_stride + b;
          visit(pool[at], ContentOf(room, buffer.layer, buffer.tensor, token,
                                    rank.ref.coord.tp * heads + h, b));
        }
      }
    }
  }
}

}  // namespace

void Fill(EngineRank& rank, uint64_t room, const std::vector<int32_t>& pages, uint64_t begin,
          uint64_t end) {
  Walk(rank, rank.pool, room, pages, begin, end,
       [](std::byte& at, std::byte content) { at = content; });
}

bool Matches(const EngineRank& rank, uint64_t room, const std::vector<int32_t>& pages,
             uint64_t begin, uint64_t end) {
  bool matches = true;
  Walk(rank, rank.pool, room, pages, begin, end,
       [&](const std::byte& at, std::byte content) { matches &= at == content; });
  return matches;
}

std::vector<int32_t> PagesOf(uint32_t slot, uint64_t begin, uint64_t end) {
  std::vector<int32_t> pages;
  const uint64_t first = begin / EngineRank::kPageTokens;
  const uint64_t last = (end + EngineRank::kPageTokens - 1) / EngineRank::kPageTokens;
  for (uint64_t i = first; i < last && begin < end; ++i) {
    pages.push_back(static_cast<int32_t>(EngineRank::kPages - 1 - (i + slot) % EngineRank::kPages));
  }
  return pages;
}

shm_abi::SlotRef EngineRank::Next(uint32_t slot) { return {slot, ++generations_[slot]}; }

shm_abi::SlotRef EngineRank::OpenSend(uint32_t slot, RoomKey room, uint64_t total,
                                      uint32_t time_left_ms) {
  const shm_abi::SlotRef ref = Next(slot);
  Fill(*this, room.id, PagesOf(slot, 0, total), 0, total);
  ring.push_back(shm_abi::OpenSend{ref, room, total, time_left_ms});
  return ref;
}

shm_abi::SlotRef EngineRank::OpenReceive(uint32_t slot, RoomKey room, const std::string& prefill,
                                         uint64_t total, uint64_t prefix, uint32_t time_left_ms) {
  shm_abi::OpenReceive open;
  open.slot = Next(slot);
  open.room = room;
  open.prefill_server = prefill;
  open.prefill_dp = 0;
  open.total_tokens = total;
  open.prefix_tokens = prefix;
  open.time_left_ms = time_left_ms;
  open.pages = {PagesOf(slot, prefix, total)};
  open.aux_row = slot;
  ring.push_back(open);
  return open.slot;
}

void EngineRank::Send(shm_abi::SlotRef slot, uint64_t begin, uint64_t end, bool last) {
  shm_abi::Send send;
  send.slot = slot;
  send.token_begin = begin;
  send.token_end = end;
  send.last = last;
  send.pages = {PagesOf(slot.slot, begin, end)};
  send.aux_row = slot.slot;
  ring.push_back(send);
}

shm_abi::SlotRef EngineRank::Announce(uint32_t slot, RoomKey room, const std::string& prefill,
                                      uint32_t time_left_ms) {
  shm_abi::OpenReceive open;
  open.slot = Next(slot);
  open.room = room;
  open.prefill_server = prefill;
  open.prefill_dp = 0;
  open.time_left_ms = time_left_ms;
  open.announced = true;
  const shm_abi::SlotRef ref = open.slot;
  ring.push_back(std::move(open));
  return ref;
}

void EngineRank::Provide(shm_abi::SlotRef slot, uint64_t total, uint64_t prefix) {
  ring.push_back(
      shm_abi::Provide{slot, total, prefix, {PagesOf(slot.slot, prefix, total)}, {}, slot.slot});
}

shm_abi::PeerRef EngineRank::WatchPeer(uint32_t peer, const std::string& server) {
  const shm_abi::PeerRef ref{peer, ++peer_generation_};
  ring.push_back(shm_abi::WatchPeer{ref, server});
  return ref;
}

shm_abi::RoomState EngineRank::state(shm_abi::SlotRef slot) const {
  const shm_abi::RoomWord& word = words[slot.slot];
  return word.generation == slot.generation ? word.state : shm_abi::RoomState::kFree;
}

Reason EngineRank::reason(shm_abi::SlotRef slot) const {
  return causes[slot.slot].ok() ? Reason::kUnknown : ReasonOf(causes[slot.slot]);
}

}  // namespace baton::worker

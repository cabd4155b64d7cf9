#include "common/shm_abi/ring_layout.h"

#include <cstring>

namespace baton::shm_abi {
namespace {

constexpr uint64_t kMultiplier = 0x9e3779b97f4a7c15;

uint64_t Mix(uint64_t hash, uint64_t word) {
  hash = (hash ^ word) * kMultiplier;
  return hash ^ (hash >> 29);
}

uint64_t Load(const std::byte* at) {
  uint64_t word;
  memcpy(&word, at, sizeof(word));
  return word;
}

}  // namespace

// Four lanes, because one chain of multiplications would take longer than copying the body.
uint64_t EntryCheck(uint64_t seed, const EntryHeader& header, const std::byte* body) {
  uint64_t shape = (uint64_t{header.body_bytes} << 32) | static_cast<uint32_t>(header.kind);
  uint64_t lane[4] = {Mix(seed, shape), Mix(~seed, header.sequence), seed + kMultiplier,
                      seed ^ kMultiplier};
  size_t left = header.kind == EntryKind::kWrap ? 0 : header.body_bytes;
  for (; left >= 32; left -= 32, body += 32) {
    for (int i = 0; i < 4; ++i) lane[i] = Mix(lane[i], Load(body + 8 * i));
  }
  for (int i = 0; left >= 8; left -= 8, body += 8, ++i) lane[i] = Mix(lane[i], Load(body));
  if (left > 0) {
    uint64_t word = 0;
    memcpy(&word, body, left);
    lane[3] = Mix(lane[3], word);
  }
  uint64_t hash = Mix(Mix(Mix(lane[0], lane[1]), lane[2]), lane[3]);
  return Mix(hash, hash >> 32);
}

}  // namespace baton::shm_abi

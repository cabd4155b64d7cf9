#include "tests/demo/content/pattern.h"

#include <cstring>

namespace baton::demo {
namespace {

// Additions, shifts and exclusive ors only: what the vector units of every machine have for 64-bit
// lanes. Each step is a bijection.
inline uint64_t Word(uint64_t key, uint64_t index) {
  uint64_t x = key + index * 0x9e3779b97f4a7c15;
  x ^= x >> 32;
  x ^= x << 13;
  x ^= x >> 29;
  return x;
}

}  // namespace

void WritePattern(uint64_t key, std::byte* out, size_t size) {
  const size_t words = size / 8;
  for (size_t i = 0; i < words; ++i) {
    uint64_t word = Word(key, i);
    std::memcpy(out + 8 * i, &word, 8);
  }
  if (size % 8 != 0) {
    uint64_t word = Word(key, words);
    std::memcpy(out + 8 * words, &word, size % 8);
  }
}

bool HoldsPattern(uint64_t key, const std::byte* data, size_t size) {
  const size_t words = size / 8;
  uint64_t differences = 0;
  for (size_t i = 0; i < words; ++i) {
    uint64_t word;
    std::memcpy(&word, data + 8 * i, 8);
    differences |= word ^ Word(key, i);
  }
  if (size % 8 != 0) {
    uint64_t expected = Word(key, words);
    if (std::memcmp(&expected, data + 8 * words, size % 8) != 0) return false;
  }
  return differences == 0;
}

uint8_t PatternByte(uint64_t key, size_t index) {
  uint64_t word = Word(key, index / 8);
  uint8_t bytes[8];
  std::memcpy(bytes, &word, 8);
  return bytes[index % 8];
}

}  // namespace baton::demo

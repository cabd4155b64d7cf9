// Bytes that depend on a 64-bit key, written and checked at memory speed. The bytes of a key are
// 64-bit words: word i is a bijective mix of key + i * odd constant, so that any two words of one
// unit differ, and units of different keys have nothing in common but by chance.
//
// Pure functions; the same on every machine of the same byte order.
#ifndef BATON_TESTS_DEMO_CONTENT_PATTERN_H_
#define BATON_TESTS_DEMO_CONTENT_PATTERN_H_

#include <cstddef>
#include <cstdint>

namespace baton::demo {

// A strong mix of two words (the finalizer of splitmix64 over a sum). Order matters.
constexpr uint64_t Mix(uint64_t a, uint64_t b) {
  uint64_t x = a * 0x9e3779b97f4a7c15 + b + 0x632be59bd9b4e019;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

void WritePattern(uint64_t key, std::byte* out, size_t size);

// True when `data` holds the pattern.
bool HoldsPattern(uint64_t key, const std::byte* data, size_t size);

// Byte `index` of the pattern.
uint8_t PatternByte(uint64_t key, size_t index);

}  // namespace baton::demo

#endif  // BATON_TESTS_DEMO_CONTENT_PATTERN_H_

// How things are divided over ranks. The same few rules everywhere: pages, layers, heads, holders.
#ifndef BATON_PLANNER_SPLIT_H_
#define BATON_PLANNER_SPLIT_H_

#include <algorithm>
#include <cstdint>

namespace baton::planner {

struct Span64 {
  uint64_t begin = 0;
  uint64_t end = 0;

  constexpr bool empty() const { return begin >= end; }
  constexpr uint64_t size() const { return empty() ? 0 : end - begin; }
  constexpr bool operator==(const Span64&) const = default;
};

constexpr Span64 Intersect(Span64 a, Span64 b) {
  return {std::max(a.begin, b.begin), std::min(a.end, b.end)};
}

constexpr uint64_t DivideUp(uint64_t a, uint64_t b) { return a / b + (a % b != 0); }

// Part `i` of `parts` contiguous parts of `size` things; the first size % parts have one more.
constexpr Span64 PartOf(uint64_t size, uint64_t parts, uint64_t i) {
  const uint64_t base = size / parts;
  const uint64_t more = size % parts;
  const uint64_t begin = i * base + std::min(i, more);
  return {begin, begin + base + (i < more)};
}

// Heads of tp rank `r`: [r * heads / tp, (r + 1) * heads / tp), rounded down, but never none. So
// where heads < tp every head lies on one or more consecutive ranks.
constexpr Span64 HeadsOfRank(uint64_t heads, uint64_t tp, uint64_t r) {
  const uint64_t begin = r * heads / tp;
  return {begin, std::max(begin + 1, (r + 1) * heads / tp)};
}

// The tp ranks that hold `head`: the inverse of HeadsOfRank.
constexpr Span64 RanksOfHead(uint64_t heads, uint64_t tp, uint64_t head) {
  const uint64_t end = DivideUp((head + 1) * tp, heads);
  return {heads < tp ? DivideUp(head * tp, heads) : end - 1, end};
}

// The rank of an axis of `sources` equal holders that serves rank `target` of `targets`: rank i of
// n serves the targets around it, so that neighbours share a source and all sources take part.
constexpr uint32_t Elect(uint64_t target, uint64_t targets, uint64_t sources) {
  return static_cast<uint32_t>(target * sources / targets);
}

}  // namespace baton::planner

#endif  // BATON_PLANNER_SPLIT_H_

// Typed identities. A bare integer never names a thing in an interface.
#ifndef BATON_COMMON_IDS_H_
#define BATON_COMMON_IDS_H_

#include <compare>
#include <cstdint>
#include <string>
#include <utility>

namespace baton {

// An integer that only compares and converts explicitly. Value type; thread-compatible.
//   using Epoch = StrongId<struct EpochTag, uint64_t>;
template <typename Tag, typename Rep>
class StrongId {
 public:
  constexpr StrongId() = default;
  constexpr explicit StrongId(Rep value) : value_(value) {}
  constexpr Rep value() const { return value_; }
  constexpr auto operator<=>(const StrongId&) const = default;
  template <typename H>
  friend H AbslHashValue(H h, StrongId id) {
    return H::combine(std::move(h), id.value_);
  }

 private:
  Rep value_{};
};

// Number of a server's start, issued by the bootstrap service. Larger replaces smaller.
using Incarnation = StrongId<struct IncarnationTag, uint64_t>;
// Drawn by an agent process at its start.
using Epoch = StrongId<struct EpochTag, uint64_t>;
using LeaseId = StrongId<struct LeaseIdTag, uint64_t>;
// Index of a region among those a rank handed over.
using RegionId = StrongId<struct RegionIdTag, uint32_t>;

enum class Role : uint8_t { kPrefill = 1, kDecode = 2 };

// One GPU of a server, or the four sizes that bound it. Sorted and written (dp, pp, cp, tp).
struct RankCoord {
  uint32_t dp = 0;
  uint32_t pp = 0;
  uint32_t cp = 0;
  uint32_t tp = 0;

  constexpr auto operator<=>(const RankCoord&) const = default;
  template <typename H>
  friend H AbslHashValue(H h, const RankCoord& c) {
    return H::combine(std::move(h), c.dp, c.pp, c.cp, c.tp);
  }
};

// A rank of a named server.
struct RankRef {
  std::string server;
  RankCoord coord;

  auto operator<=>(const RankRef&) const = default;
  template <typename H>
  friend H AbslHashValue(H h, const RankRef& r) {
    return H::combine(std::move(h), r.server, r.coord);
  }
};

// One request's hand-off. Any two numbers, 0 included.
struct RoomKey {
  uint64_t id = 0;
  uint64_t nonce = 0;

  constexpr auto operator<=>(const RoomKey&) const = default;
  template <typename H>
  friend H AbslHashValue(H h, const RoomKey& r) {
    return H::combine(std::move(h), r.id, r.nonce);
  }
};

// "dp0/pp1/cp0/tp1", "prefill-a[dp0/pp1/cp0/tp1]", "42" or "42#7" with a nonce.
std::string ToString(const RankCoord& coord);
std::string ToString(const RankRef& rank);
std::string ToString(const RoomKey& room);
std::string ToString(Role role);

}  // namespace baton

#endif  // BATON_COMMON_IDS_H_

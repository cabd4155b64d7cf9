// Division by a number that stays the same, as one multiplication.
#ifndef BATON_PLANNER_FAST_DIVIDE_H_
#define BATON_PLANNER_FAST_DIVIDE_H_

#include <cstdint>

namespace baton::planner {

// Exact for n * divisor < 2^64, which limits.h guarantees for positions and pages.
class FastDivide {
 public:
  constexpr FastDivide() = default;
  constexpr explicit FastDivide(uint64_t divisor)
      : divisor_(divisor), inverse_(divisor == 1 ? 0 : ~uint64_t{0} / divisor + 1) {}

  constexpr uint64_t divisor() const { return divisor_; }
  constexpr uint64_t Quotient(uint64_t n) const {
    if (inverse_ == 0) return n;
    return static_cast<uint64_t>((static_cast<unsigned __int128>(n) * inverse_) >> 64);
  }

 private:
  uint64_t divisor_ = 1;
  uint64_t inverse_ = 0;
};

}  // namespace baton::planner

#endif  // BATON_PLANNER_FAST_DIVIDE_H_

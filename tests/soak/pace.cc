#include "tests/soak/pace.h"

#include <algorithm>
#include <chrono>

namespace baton::soak {
namespace {

constexpr std::chrono::milliseconds kLate{250};
constexpr std::chrono::seconds kLook{2};
constexpr double kFirstRate = 50;
constexpr double kLeastRate = 5;
constexpr double kSearchStep = 1.15;
constexpr double kStep = 1.02;
constexpr double kBack = 0.9;

}  // namespace

Pace::Pace(double rate) : fixed_(rate > 0), rate_(fixed_ ? rate : kFirstRate) {}

bool Pace::Observe(Duration late, TimePoint now) {
  if (fixed_) return false;
  if (late > kLate) {
    searching_ = false;
    rate_ = std::max(kLeastRate, rate_ * kBack);
    next_look_ = now + kLook;
    return true;
  }
  if (next_look_ == TimePoint()) next_look_ = now + kLook;
  if (now < next_look_) return false;
  next_look_ = now + kLook;
  rate_ *= searching_ ? kSearchStep : kStep;
  return false;
}

}  // namespace baton::soak

#include "tests/demo/workload/arrivals.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace baton::demo {

Arrivals::Arrivals(std::vector<Request> requests, const ArrivalOptions& options)
    : requests_(std::move(requests)), options_(options) {}

uint64_t Arrivals::Scaled(uint64_t tokens) const {
  double scaled = std::min(std::round(tokens * options_.scale), double(options_.tokens_max));
  return static_cast<uint64_t>(scaled);
}

uint64_t Arrivals::KnownTokens(const Request& request) {
  uint64_t known = 0;
  bool leading = true;
  for (uint64_t block : request.blocks) {
    leading = !known_blocks_.insert(block).second && leading;
    if (leading) known += kBlockTokens;
  }
  return std::min(known, request.input_tokens);
}

Arrival Arrivals::Next() {
  if (next_ == requests_.size()) {
    next_ = 0;
    // A second between the passes; order within a trace is not promised, so look at all.
    uint64_t length = 0;
    for (const Request& request : requests_) length = std::max(length, request.timestamp_ms);
    pass_start_ms_ += length + 1000;
    known_blocks_.clear();
  }
  const Request& request = requests_[next_++];
  Arrival arrival;
  if (options_.speed > 0) {
    double ms = (pass_start_ms_ + request.timestamp_ms) / options_.speed;
    arrival.at = std::chrono::nanoseconds(static_cast<int64_t>(ms * 1e6));
  }
  arrival.total_tokens = std::max<uint64_t>(1, Scaled(request.input_tokens));
  arrival.prefix_tokens = std::min(Scaled(KnownTokens(request)), arrival.total_tokens);
  return arrival;
}

}  // namespace baton::demo

// Numbers that one thread counts and another one reads: no lock, no allocation, no
// read-modify-write on the bus. A reader sees each number whole, and several of them not at the
// same instant.
#ifndef BATON_COMMON_METRICS_COUNTERS_H_
#define BATON_COMMON_METRICS_COUNTERS_H_

#include <atomic>
#include <cstdint>

namespace baton::metrics {

// Written by one thread, which owns it; read by any.
class Count {
 public:
  void Add(uint64_t n = 1) { value_.store(value() + n, std::memory_order_relaxed); }
  // For gauges, and for counts that are kept elsewhere.
  void Set(uint64_t n) { value_.store(n, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

// Written and read by any thread: for what happens a few thousand times a second at most.
class SharedCount {
 public:
  void Add(uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

}  // namespace baton::metrics

#endif  // BATON_COMMON_METRICS_COUNTERS_H_

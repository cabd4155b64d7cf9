// What the two sides of a bench between two guests say to each other, and the clock that they take
// times by. For benches: whatever goes wrong is fatal.
#ifndef BATON_BENCH_RDMA_TALK_H_
#define BATON_BENCH_RDMA_TALK_H_

#include <chrono>
#include <cstdint>
#include <string>

#include "common/clock.h"
#include "common/log.h"
#include "tests/demo/remote/frame.h"

namespace baton::bench {

// The processor's counter, as perftest reads it: to ask for the time is a system call in a guest.
// Guests are processes of one host, so it is also the one clock that two of them share.
inline uint64_t Ticks() {
#ifdef __x86_64__
  return __builtin_ia32_rdtsc();
#else
  return Monotonic::now().time_since_epoch().count();
#endif
}

// Finds the counter's rate by the system's clock, over its own life.
class TickRate {
 public:
  double PerMicrosecond() const {
    const std::chrono::duration<double, std::micro> took = Monotonic::now() - begin_;
    return static_cast<double>(Ticks() - first_) / took.count();
  }

 private:
  const TimePoint begin_ = Monotonic::now();
  const uint64_t first_ = Ticks();
};

inline std::string Hear(int fd) {
  auto frame = demo::ReceiveFrame(fd);
  CHECK(frame.ok()) << frame.status();
  return frame->bytes;
}

inline void Say(int fd, const std::string& bytes) {
  CHECK(demo::SendFrame(fd, demo::FrameKind::kPacket, bytes).ok());
}

}  // namespace baton::bench

#endif  // BATON_BENCH_RDMA_TALK_H_

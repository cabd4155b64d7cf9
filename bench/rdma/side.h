// One side of a measured hand-off: a transport, its memory, and what it said. For benches, so
// whatever goes wrong is fatal. One thread at a time.
#ifndef BATON_BENCH_RDMA_SIDE_H_
#define BATON_BENCH_RDMA_SIDE_H_

#include <poll.h>
#include <sched.h>

#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "common/clock.h"
#include "common/log.h"
#include "transfer_agent/transport/conformance/test_pool.h"
#include "transfer_agent/transport/transport.h"

namespace baton::bench {

class Side : public transport::Events {
 public:
  Side(std::unique_ptr<transport::Transport> made, const transport::TestPool& pool)
      : transport(std::move(made)) {
    const transport::LocalRegion region = pool.region();
    auto exported = transport->ExportMemory({&region, 1});
    CHECK(exported.ok()) << exported.status();
    memory = *std::move(exported);
  }

  void OnChannelUp(transport::ChannelId) override { up = true; }
  void OnChannelDown(transport::ChannelId, const absl::Status& cause) override {
    LOG(FATAL) << cause;
  }
  void OnSegmentDone(uint64_t, const absl::Status& status) override {
    CHECK(status.ok()) << status;
    ++segments_done;
  }
  void OnPart(transport::ChannelId, transport::PeerId, transport::OfferId, uint32_t,
              uint64_t) override {
    ++parts;
  }
  void OnWindowBroken(transport::PeerId, transport::OfferId, const absl::Status& cause) override {
    LOG(FATAL) << cause;
  }
  void OnFenced(transport::PeerId, transport::OfferId) override {}

  // On the one CPU of a guest whoever spins must let others run. To yield and to read the clock is
  // a system call each in there, some 20 us: a latency is measured with more polls for each of
  // them.
  template <typename Condition>
  void SpinUntil(Condition condition, int polls_each = 1) {
    while (!condition()) {
      const TimePoint now = Monotonic::now();
      bool worked = false;
      for (int i = 0; i < polls_each && !condition(); ++i) worked |= transport->Poll(now, this);
      if (!worked) sched_yield();
    }
  }

  template <typename Condition>
  void SleepUntil(Condition condition) {
    while (!condition()) {
      if (transport->Poll(Monotonic::now(), this) || condition()) continue;
      if (!transport->PrepareToSleep()) continue;
      pollfd fd{.fd = transport->wait_fd(), .events = POLLIN, .revents = 0};
      poll(&fd, 1, 1000);
    }
  }

  std::unique_ptr<transport::Transport> transport;
  transport::ExportedMemory memory;
  bool up = false;
  uint64_t segments_done = 0;
  uint64_t parts = 0;
};

}  // namespace baton::bench

#endif  // BATON_BENCH_RDMA_SIDE_H_

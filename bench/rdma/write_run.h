// One measured hand-off between two transports of one process, as bytes a second.
#ifndef BATON_BENCH_RDMA_WRITE_RUN_H_
#define BATON_BENCH_RDMA_WRITE_RUN_H_

#include <cstdint>
#include <functional>
#include <memory>

#include "bench/rdma/page_orders.h"
#include "transfer_agent/transport/transport.h"

namespace baton::bench {

struct WriteCase {
  uint32_t page_bytes = 65536;
  Order order = Order::kScattered;
  uint64_t bytes = 0;  // a multiple of page_bytes
  // Of each side, gone over again and again. Small: a guest's first touch of a page is slow.
  uint64_t pool_bytes = 16 << 20;
};

struct WriteResult {
  double bytes_per_second = 0;
  // Of all processes and the kernel together, idle time apart; 0 when the clock is too coarse.
  double cpu_ns_per_byte = 0;
};

// Time runs from the first Submit to the last byte's OnPart. The source polls without sleeping,
// the target sleeps until its part is there: as perftest's two sides of a write test do. CHECKs
// that every byte is right.
WriteResult RunWrite(const std::function<std::unique_ptr<transport::Transport>()>& create,
                     const WriteCase& what);

}  // namespace baton::bench

#endif  // BATON_BENCH_RDMA_WRITE_RUN_H_

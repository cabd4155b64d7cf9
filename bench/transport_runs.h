// One measured run each: bytes a second from the first byte offered to the last byte in the
// target's pool. Source and target are threads of their own; the pools have been touched.
#ifndef BATON_BENCH_TRANSPORT_RUNS_H_
#define BATON_BENCH_TRANSPORT_RUNS_H_

#include <cstdint>

namespace baton::bench {

enum class Kind { kTcp, kTcpChecked, kShm };
enum class Order { kAscending, kScattered };

// Blocking write and read of `size` bytes at a time over a loopback connection.
double RawSocketRate(uint32_t size, uint64_t bytes);
// One call for each page, the pages in the order that TransportRate would move them.
double MemcpyRate(uint32_t size, Order order, uint64_t bytes);
// Beside a stopped target: the source holds all that it may for another target that takes nothing.
double TransportRate(Kind kind, uint32_t page_bytes, Order order, uint64_t bytes,
                     bool beside_a_stopped_target = false);

}  // namespace baton::bench

#endif  // BATON_BENCH_TRANSPORT_RUNS_H_

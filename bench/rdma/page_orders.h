// In which order a measured hand-off goes over the pages of its two pools: the same for all who are
// compared.
#ifndef BATON_BENCH_RDMA_PAGE_ORDERS_H_
#define BATON_BENCH_RDMA_PAGE_ORDERS_H_

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <random>
#include <vector>

namespace baton::bench {

enum class Order {
  kScattered,   // pages of both pools in random order
  kContiguous,  // those of the target in order: the source may gather
};

struct PageOrders {
  PageOrders(uint32_t pages, Order order) : from(pages), to(pages) {
    std::iota(from.begin(), from.end(), 0);
    std::iota(to.begin(), to.end(), 0);
    std::mt19937 random(7);
    std::shuffle(from.begin(), from.end(), random);
    if (order == Order::kScattered) std::shuffle(to.begin(), to.end(), random);
  }
  std::vector<int32_t> from, to;
};

}  // namespace baton::bench

#endif  // BATON_BENCH_RDMA_PAGE_ORDERS_H_

// The yardstick for pools of any size: what verbs_write moves, by nothing but a loop over
// libibverbs. One queue pair, the same depth, chains and pages in the same order, over pools as
// large; no plan, no rooms, no parts.
//
//   raw_write --page=65536 --order=scattered --mib=256 --pool_mib=16 --depth=128
//
// Prints "raw MIB_PER_SECOND".
#include <infiniband/verbs.h>
#include <sched.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "bench/rdma/page_orders.h"
#include "common/clock.h"
#include "common/config/config.h"
#include "common/log.h"
#include "tools/rdma_bed/selftest/loop.h"

namespace baton::bench {
namespace {

using bed::Loop;

// Writes to a doorbell and a completion: as many as Baton's.
constexpr uint64_t kChain = 64;

struct Options {
  uint64_t page = 65536;
  uint64_t mib = 256;
  uint64_t pool_mib = 16;
  uint64_t depth = 128;
  std::string order = "scattered";
  std::string device = "rxe0";
};

Options Parse(int argc, char** argv) {
  Options options;
  ConfigTable table("raw_write", "Pages written by a loop over libibverbs.");
  table.Number("page", &options.page, {4096, 1 << 20}, "bytes", "Size of a page.");
  table.Number("mib", &options.mib, {16, 1 << 20}, "MiB", "Bytes in all.");
  table.Number("pool_mib", &options.pool_mib, {1, 1024}, "MiB", "Of each side.");
  table.Number("depth", &options.depth, {16, 4096}, "", "Writes under way.");
  table.Choice("order", &options.order, {"scattered", "contiguous"}, "Of the target's pages.");
  table.Text("device", &options.device, "name", "The one rail.");
  table.ParseOrExit(argc, argv);
  return options;
}

class Writer {
 public:
  Writer(const Options& options, const PageOrders& orders)
      : page_(options.page),
        depth_(options.depth),
        chain_(std::min(kChain, options.depth)),
        orders_(orders),
        loop_(options.device, options.pool_mib << 20, static_cast<uint32_t>(options.depth)) {
    for (uint64_t i = 0; i < options.pool_mib << 20; ++i) {
      loop_.source()[i] = static_cast<uint8_t>(i * 7 + i / 4096);
    }
  }

  double Seconds(uint64_t bytes) {
    const uint64_t writes = bytes / page_;
    const TimePoint begin = Monotonic::now();
    uint64_t posted = 0, done = 0;
    while (done < writes) {
      while (posted < writes) {
        const uint64_t chain = std::min(chain_, writes - posted);
        if (posted - done + chain > depth_) break;
        Post(posted, chain);
        posted += chain;
      }
      const uint64_t before = done;
      done += Reap();
      if (done == before) sched_yield();
    }
    return std::chrono::duration<double>(Monotonic::now() - begin).count();
  }

  void Compare() {
    for (size_t i = 0; i < orders_.from.size(); ++i) {
      CHECK_EQ(0, std::memcmp(loop_.target() + orders_.to[i] * page_,
                              loop_.source() + orders_.from[i] * page_, page_));
    }
  }

 private:
  // Of the writes from the `first` on.
  void Post(uint64_t first, uint64_t count) {
    std::vector<Loop::Request> chain;
    for (uint64_t i = first; i < first + count; ++i) {
      const size_t at = i % orders_.from.size();
      chain.push_back(loop_.Write(orders_.from[at] * page_, orders_.to[at] * page_,
                                  static_cast<uint32_t>(page_)));
      chain.back().wr.send_flags = 0;
      chain.back().wr.wr_id = 0;
    }
    chain.back().wr.send_flags = IBV_SEND_SIGNALED;
    chain.back().wr.wr_id = count;
    loop_.PostChain(&chain);
  }

  uint64_t Reap() {
    ibv_wc done[16];
    const int count = ibv_poll_cq(loop_.source_cq(), 16, done);
    CHECK_GE(count, 0);
    uint64_t writes = 0;
    for (int i = 0; i < count; ++i) {
      CHECK_EQ(done[i].status, IBV_WC_SUCCESS);
      writes += done[i].wr_id;
    }
    return writes;
  }

  const uint64_t page_;
  const uint64_t depth_;
  const uint64_t chain_;
  const PageOrders& orders_;
  Loop loop_;
};

int Main(int argc, char** argv) {
  const Options options = Parse(argc, argv);
  const Order order = options.order == "scattered" ? Order::kScattered : Order::kContiguous;
  const PageOrders orders(static_cast<uint32_t>((options.pool_mib << 20) / options.page), order);
  Writer writer(options, orders);
  writer.Seconds(16 << 20);  // as verbs_write does before it measures
  std::printf("raw %.2f\n", static_cast<double>(options.mib) / writer.Seconds(options.mib << 20));
  writer.Compare();
  return 0;
}

}  // namespace
}  // namespace baton::bench

int main(int argc, char** argv) {
  baton::InitLog(argv[0]);
  return baton::bench::Main(argc, argv);
}

#include "bench/rdma/write_run.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bench/rdma/side.h"
#include "common/clock.h"
#include "common/log.h"
#include "planner/cursor.h"
#include "planner/plan.h"
#include "transfer_agent/transport/conformance/test_pool.h"

namespace baton::bench {
namespace {

using transport::ChannelId;
using transport::OfferId;
using transport::PeerId;
using transport::PoolShape;
using transport::Segment;
using transport::Submitted;
using transport::TestPool;
using transport::Transport;

constexpr PeerId kPeer{1};
// Between two system calls of the source. One for each chain of writes would be a tenth of what the
// smallest pages take, and on a host, where the clock is none, nothing.
constexpr int kPolls = 4;

PoolShape ShapeOf(uint32_t page_bytes, uint64_t pool_bytes) {
  return {.layers = 1,
          .page_tokens = 1,
          .token_bytes = page_bytes,
          .pages = static_cast<uint32_t>(pool_bytes / page_bytes),
          .gap_bytes = 0};
}

// All pages of both pools, again and again.
struct Load {
  Load(const TestPool& source, const TestPool& target, Order order, uint64_t bytes) {
    const uint32_t pages = source.shape().pages;
    const PageOrders orders(pages, order);
    tokens.total = bytes / source.shape().token_bytes;
    for (uint64_t i = 0; i < tokens.total; ++i) {
      source_pages.push_back(orders.from[i % pages]);
      target_pages.push_back(orders.to[i % pages]);
    }
    source_side.pages = {absl::MakeConstSpan(source_pages)};
    target_side.pages = {absl::MakeConstSpan(target_pages)};
    auto made = planner::PlanPair(source.Spec(), {}, source.Layout(), target.Spec(), {},
                                  target.Layout(), {});
    CHECK(made.ok()) << made.status();
    plan = *std::move(made);
  }
  std::vector<int32_t> source_pages, target_pages;
  planner::SidePages source_side, target_side;
  planner::RoomTokens tokens;
  planner::PairPlan plan;
};

ChannelId Connect(Side* source, Side* target) {
  auto opened = source->transport->Open(kPeer);
  CHECK(opened.ok()) << opened.status();
  auto accepted = target->transport->Accept(kPeer, opened->data);
  CHECK(accepted.ok()) << accepted.status();
  CHECK(source->transport->Complete(opened->id, accepted->data).ok());
  while (!source->up || !target->up) {
    source->transport->Poll(Monotonic::now(), source);
    target->transport->Poll(Monotonic::now(), target);
  }
  return opened->id;
}

// Seconds that the machine's CPUs were not idle.
double BusySeconds() {
  std::ifstream stat("/proc/stat");
  std::string cpu;
  double ticks[8] = {};
  stat >> cpu;
  for (double& t : ticks) stat >> t;
  // user, nice, system, idle, iowait, irq, softirq, steal
  return (ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6]) / sysconf(_SC_CLK_TCK);
}

class Run {
 public:
  Run(const std::function<std::unique_ptr<Transport>()>& create, const WriteCase& what)
      : source_pool_(ShapeOf(what.page_bytes, what.pool_bytes)),
        target_pool_(ShapeOf(what.page_bytes, what.pool_bytes)) {
    source_pool_.FillPattern(1);
    target_pool_.FillCanary();
    source_ = std::make_unique<Side>(create(), source_pool_);
    target_ = std::make_unique<Side>(create(), target_pool_);
    channel_ = Connect(source_.get(), target_.get());
    auto imported = source_->transport->ImportMemory(kPeer, target_->memory.key);
    CHECK(imported.ok()) << imported.status();
    remote_ = *imported;
  }

  WriteResult Measure(Order order, uint64_t bytes) {
    const Load load(source_pool_, target_pool_, order, bytes);
    const OfferId offer{.slot = ++slot_, .generation = 1};
    CHECK(target_->transport
              ->OpenWindow({.peer = kPeer,
                            .offer = offer,
                            .memory = target_->memory.id,
                            .plan = &load.plan,
                            .tokens = load.tokens,
                            .pages = load.target_side})
              .ok());
    const uint64_t before = target_->parts;
    const double busy = BusySeconds();
    const TimePoint begin = Monotonic::now();
    std::thread sender([&] { Send(load, offer); });
    target_->SleepUntil([&] { return target_->parts > before; });
    const double seconds = std::chrono::duration<double>(Monotonic::now() - begin).count();
    const double spent = BusySeconds() - busy;
    sender.join();
    Compare(load);
    return {bytes / seconds, spent * 1e9 / bytes};
  }

 private:
  void Send(const Load& load, OfferId offer) {
    Segment segment;
    segment.offer = offer;
    segment.memory = source_->memory.id;
    segment.remote = remote_;
    segment.tokens = load.tokens;
    segment.chunk = {.token_begin = 0, .token_end = load.tokens.total, .last = true};
    segment.close_part = true;
    segment.cursor = planner::Cursor(&load.plan, load.tokens, segment.chunk, &load.source_side,
                                     &load.target_side);
    const uint64_t before = source_->segments_done;
    CHECK(source_->transport->Submit(channel_, std::move(segment)) == Submitted::kAccepted);
    source_->SpinUntil([&] { return source_->segments_done == before + 1; }, kPolls);
  }

  void Compare(const Load& load) {
    const size_t pages = std::min<size_t>(load.tokens.total, source_pool_.shape().pages);
    for (size_t i = 0; i < pages; ++i) {
      CHECK_EQ(0,
               std::memcmp(target_pool_.Page(0, load.target_pages[i]),
                           source_pool_.Page(0, load.source_pages[i]), source_pool_.page_bytes()))
          << "page " << load.target_pages[i];
    }
  }

  TestPool source_pool_;
  TestPool target_pool_;
  std::unique_ptr<Side> source_;
  std::unique_ptr<Side> target_;
  ChannelId channel_;
  transport::RemoteMemoryId remote_;
  uint16_t slot_ = 0;
};

}  // namespace

WriteResult RunWrite(const std::function<std::unique_ptr<Transport>()>& create,
                     const WriteCase& what) {
  Run run(create, what);
  run.Measure(what.order, 16 << 20);  // what a long life has warm
  return run.Measure(what.order, what.bytes);
}

}  // namespace baton::bench

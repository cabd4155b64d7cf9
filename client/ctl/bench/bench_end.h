// One end of a bench: a pool of pages, a transport, and a channel to the other end. What both ends
// have in common.
#ifndef BATON_CLIENT_CTL_BENCH_BENCH_END_H_
#define BATON_CLIENT_CTL_BENCH_BENCH_END_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "baton/v1/bench.pb.h"
#include "client/ctl/bench/frame_socket.h"
#include "common/clock.h"
#include "common/memfd.h"
#include "planner/cursor.h"
#include "planner/layout.h"
#include "planner/plan.h"
#include "transfer_agent/transport/transport.h"
#include "transfer_agent/transport/verbs/options.h"

namespace baton::ctl {

// Bounds of what a source may ask a target for.
inline constexpr uint32_t kBenchPageBytesMax = 64 << 20;
inline constexpr uint32_t kBenchPagesMax = 65536;
inline constexpr uint64_t kBenchPoolBytesMax = uint64_t{4} << 30;

struct BenchShape {
  std::string transport = "tcp";
  uint32_t page_bytes = 64 << 10;
  uint32_t pages = 256;
};

// TOO_LARGE or CONFIG names what is wrong.
absl::Status CheckShape(const BenchShape& shape);

// Thread-compatible: everything of an end happens on one thread.
class BenchEnd : public transport::Events {
 public:
  explicit BenchEnd(UniqueFd socket) : socket_(std::move(socket)) {}

  // Pool, plan and transport. `target`: peers write to its pool.
  absl::Status SetUp(const BenchShape& shape, const transport::verbs::Wishes& wishes, bool target);
  const std::string& path() const { return path_; }

 protected:
  static constexpr transport::PeerId kPeer{1};

  // Pages 0 to `pages` of the pool, whose room they are.
  planner::RoomTokens TokensOf(uint32_t pages) const { return {pages, 0}; }
  const planner::SidePages& side() const { return side_; }
  const planner::PairPlan& plan() const { return plan_; }

  absl::Status Send(v1::BenchFrame frame) { return socket_.Send(frame); }
  // Moves transport and messages until `done`; DEADLINE when nothing moves for 10 s.
  absl::Status RunUntil(const std::function<bool()>& done);
  virtual absl::Status OnFrame(const v1::BenchFrame& frame) = 0;

  // transport::Events
  void OnChannelUp(transport::ChannelId) override { up_ = true; }
  void OnChannelDown(transport::ChannelId, const absl::Status& cause) override { broken_ = cause; }
  void OnSegmentDone(uint64_t, const absl::Status& status) override {
    if (!status.ok()) broken_ = status;
  }
  void OnPart(transport::ChannelId, transport::PeerId, transport::OfferId, uint32_t,
              uint64_t) override {}
  void OnWindowBroken(transport::PeerId, transport::OfferId, const absl::Status& cause) override {
    broken_ = cause;
  }
  void OnFenced(transport::PeerId, transport::OfferId) override {}

  FrameSocket socket_;
  std::unique_ptr<transport::Transport> transport_;
  transport::ExportedMemory memory_;
  bool up_ = false;
  absl::Status broken_;

 private:
  absl::Status MakePool(const BenchShape& shape);
  absl::Status MakePlan(const BenchShape& shape);
  absl::StatusOr<bool> ReadFrames();
  void Sleep();

  UniqueFd pool_fd_;
  Mapping pool_;
  std::vector<int32_t> pages_;
  planner::SidePages side_;
  planner::PairPlan plan_;
  std::string path_;
};

}  // namespace baton::ctl

#endif  // BATON_CLIENT_CTL_BENCH_BENCH_END_H_

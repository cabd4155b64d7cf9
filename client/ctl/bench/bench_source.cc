// The end that writes, and measures.
#include <algorithm>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/ctl/bench/bench.h"
#include "common/reason.h"

namespace baton::ctl {
namespace {

constexpr uint32_t kRoomsAtOnce = 4;

class Source final : public BenchEnd {
 public:
  Source(const BenchPlan& plan, UniqueFd socket)
      : BenchEnd(std::move(socket)), plan_of_(plan), rooms_(plan.latency ? 1 : kRoomsAtOnce) {}

  absl::StatusOr<v1::BenchReport> Run() {
    absl::Status status = Connect();
    if (status.ok()) status = Measure();
    if (!status.ok()) return status;
    return Report();
  }

 private:
  struct Room {
    uint16_t generation = 0;
    bool open = false;       // asked for, and not landed yet
    bool submitted = false;  // its pages are with the transport
    TimePoint begun;
  };

  absl::Status Connect() {
    if (absl::Status s = SetUp(plan_of_.shape, plan_of_.wishes, /*target=*/false); !s.ok())
      return s;
    v1::BenchFrame hello;
    hello.mutable_hello()->set_transport(plan_of_.shape.transport);
    hello.mutable_hello()->set_page_bytes(plan_of_.shape.page_bytes);
    hello.mutable_hello()->set_pages(plan_of_.shape.pages);
    if (absl::Status s = Send(hello); !s.ok()) return s;
    if (absl::Status s = RunUntil([this] { return remote_.has_value(); }); !s.ok()) return s;
    auto opened = transport_->Open(kPeer);
    if (!opened.ok()) return opened.status();
    channel_ = opened->id;
    v1::BenchFrame open;
    open.set_channel_open(opened->data);
    if (absl::Status s = Send(open); !s.ok()) return s;
    return RunUntil([this] { return up_; });
  }

  absl::Status Measure() {
    begin_ = end_ = Monotonic::now();
    until_ = begin_ + plan_of_.time;
    for (uint32_t slot = 0; slot < rooms_.size(); ++slot) {
      if (absl::Status s = Ask(slot); !s.ok()) return s;
    }
    return RunUntil([this] {
      return std::none_of(rooms_.begin(), rooms_.end(), [](const Room& r) { return r.open; });
    });
  }

  uint32_t pages() const { return plan_of_.latency ? 1 : plan_of_.shape.pages; }

  absl::Status Ask(uint32_t slot) {
    Room& room = rooms_[slot];
    room.generation = (room.generation + 1) & transport::kGenerationMask;
    room.open = true;
    v1::BenchFrame frame;
    frame.mutable_room()->set_slot(slot);
    frame.mutable_room()->set_generation(room.generation);
    frame.mutable_room()->set_pages(pages());
    return Send(frame);
  }

  absl::Status OnFrame(const v1::BenchFrame& frame) override {
    switch (frame.body_case()) {
      case v1::BenchFrame::kReady: {
        auto remote = transport_->ImportMemory(kPeer, frame.ready().memory_key());
        if (!remote.ok()) return remote.status();
        remote_ = *remote;
        return absl::OkStatus();
      }
      case v1::BenchFrame::kChannelAccept:
        return transport_->Complete(channel_, frame.channel_accept());
      case v1::BenchFrame::kOpened:
        return Submit(frame.opened().slot());
      case v1::BenchFrame::kLanded:
        return Landed(frame.landed().slot());
      default:
        return Error(Reason::kBadMessage, "a message that no target sends");
    }
  }

  absl::Status Submit(uint32_t slot) {
    if (slot >= rooms_.size() || !rooms_[slot].open || rooms_[slot].submitted) {
      return Error(Reason::kBadMessage, "a room that was not asked for");
    }
    Room& room = rooms_[slot];
    transport::Segment segment;
    segment.offer = {static_cast<uint16_t>(slot), room.generation};
    segment.memory = memory_.id;
    segment.remote = *remote_;
    segment.tokens = TokensOf(pages());
    segment.chunk = {.token_begin = 0, .token_end = pages(), .last = true};
    segment.cursor = planner::Cursor(&plan(), segment.tokens, segment.chunk, &side(), &side());
    segment.close_part = true;
    segment.cookie = slot;
    room.begun = Monotonic::now();
    if (transport_->Submit(channel_, std::move(segment)) != transport::Submitted::kAccepted) {
      return Error(Reason::kTransport, "the channel takes nothing");
    }
    room.submitted = true;
    return absl::OkStatus();
  }

  absl::Status Landed(uint32_t slot) {
    if (slot >= rooms_.size() || !rooms_[slot].submitted) {
      return Error(Reason::kBadMessage, "a room landed that was not sent");
    }
    Room& room = rooms_[slot];
    end_ = Monotonic::now();
    room.open = room.submitted = false;
    ++done_;
    if (plan_of_.latency) {
      latencies_us_.push_back(std::chrono::duration<double, std::micro>(end_ - room.begun).count());
    }
    return end_ < until_ ? Ask(slot) : absl::OkStatus();
  }

  double Percentile(double part) const {
    if (latencies_us_.empty()) return 0;
    return latencies_us_[static_cast<size_t>(part * static_cast<double>(latencies_us_.size() - 1))];
  }

  v1::BenchReport Report() {
    std::sort(latencies_us_.begin(), latencies_us_.end());
    v1::BenchReport report;
    report.set_transport(plan_of_.shape.transport);
    report.set_kind(plan_of_.latency ? "latency" : "write");
    report.set_page_bytes(plan_of_.shape.page_bytes);
    report.set_rooms(done_);
    report.set_bytes(done_ * pages() * plan_of_.shape.page_bytes);
    report.set_seconds(std::chrono::duration<double>(end_ - begin_).count());
    if (report.seconds() > 0) {
      report.set_bytes_per_second(static_cast<double>(report.bytes()) / report.seconds());
    }
    report.set_latency_us_p50(Percentile(0.5));
    report.set_latency_us_p99(Percentile(0.99));
    report.set_latency_us_max(Percentile(1));
    report.set_path(path());
    return report;
  }

  const BenchPlan plan_of_;
  std::vector<Room> rooms_;
  std::optional<transport::RemoteMemoryId> remote_;
  transport::ChannelId channel_;
  TimePoint begin_, until_, end_;
  uint64_t done_ = 0;
  std::vector<double> latencies_us_;
};

}  // namespace

absl::StatusOr<v1::BenchReport> RunBench(const BenchPlan& plan, UniqueFd socket) {
  return Source(plan, std::move(socket)).Run();
}

absl::StatusOr<v1::BenchReport> RunBenchHere(const BenchPlan& plan) {
  auto pair = SocketPair();
  if (!pair.ok()) return pair.status();
  absl::Status served;
  std::thread target([&, socket = std::move(pair->second)]() mutable {
    served = ServeBench(std::move(socket), plan.wishes);
  });
  auto report = RunBench(plan, std::move(pair->first));
  target.join();
  return report;
}

}  // namespace baton::ctl

#include "client/ctl/bench/bench_end.h"

#include <poll.h>
#include <sched.h>

#include <cstring>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/reason.h"
#include "transfer_agent/transport/shm/factory.h"
#include "transfer_agent/transport/tcp/factory.h"
#include "transfer_agent/transport/verbs/factory.h"

namespace baton::ctl {
namespace {

planner::ServerSpec SpecOf(const BenchShape& shape) {
  planner::ServerSpec spec;
  spec.sizes = {1, 1, 1, 1};
  spec.stages = {std::vector<uint32_t>{0}};
  spec.page_groups = {{.page_tokens = 1}};
  planner::TensorSpec tensor;
  tensor.kind = planner::Kind::kLatent;
  tensor.name = "page";
  tensor.layers = {0};
  tensor.dtype = "u8";
  tensor.head_bytes = shape.page_bytes;
  spec.tensors = {tensor};
  return spec;
}

planner::RankLayout LayoutOf(const BenchShape& shape) {
  planner::RankLayout layout;
  layout.buffers.push_back({.tensor = 0,
                            .layer = 0,
                            .region = 0,
                            .offset = 0,
                            .pages = shape.pages,
                            .page_stride = shape.page_bytes,
                            .entry_stride = shape.page_bytes,
                            .head_stride = shape.page_bytes});
  return layout;
}

}  // namespace

absl::Status CheckShape(const BenchShape& shape) {
  if (shape.transport != "tcp" && shape.transport != "shm" && shape.transport != "verbs") {
    return Error(Reason::kConfig, absl::StrCat("no transport '", shape.transport, "'"));
  }
  if (shape.page_bytes == 0 || shape.page_bytes > kBenchPageBytesMax || shape.pages == 0 ||
      shape.pages > kBenchPagesMax ||
      uint64_t{shape.page_bytes} * shape.pages > kBenchPoolBytesMax) {
    return Error(Reason::kTooLarge,
                 absl::StrCat(shape.pages, " pages of ", shape.page_bytes, " bytes: give 1 to ",
                              kBenchPagesMax, " of at most ", kBenchPageBytesMax >> 20,
                              " MiB, 4 GiB in all"));
  }
  return absl::OkStatus();
}

absl::Status BenchEnd::MakePool(const BenchShape& shape) {
  const uint64_t bytes = uint64_t{shape.page_bytes} * shape.pages;
  auto fd = CreateSealedMemfd("batonctl-bench", bytes);
  if (!fd.ok()) return fd.status();
  auto mapping = MapShared(fd->get(), bytes, Access::kReadWrite);
  if (!mapping.ok()) return mapping.status();
  // Touched before it is measured.
  memset(mapping->base(), 0x5a, bytes);
  pool_fd_ = *std::move(fd);
  pool_ = *std::move(mapping);
  return absl::OkStatus();
}

absl::Status BenchEnd::MakePlan(const BenchShape& shape) {
  auto plan =
      planner::PlanPair(SpecOf(shape), {}, LayoutOf(shape), SpecOf(shape), {}, LayoutOf(shape), {});
  if (!plan.ok()) return plan.status();
  plan_ = *std::move(plan);
  pages_.resize(shape.pages);
  std::iota(pages_.begin(), pages_.end(), 0);
  side_.pages = {absl::MakeConstSpan(pages_)};
  return absl::OkStatus();
}

absl::Status BenchEnd::SetUp(const BenchShape& shape, const transport::verbs::Wishes& wishes,
                             bool target) {
  if (absl::Status status = CheckShape(shape); !status.ok()) return status;
  if (absl::Status status = MakePool(shape); !status.ok()) return status;
  if (absl::Status status = MakePlan(shape); !status.ok()) return status;
  absl::StatusOr<std::unique_ptr<transport::Transport>> made;
  if (shape.transport == "shm") {
    made = transport::CreateShmTransport({});
    path_ = "this host's shared memory";
  } else if (shape.transport == "tcp") {
    transport::TcpOptions tcp;
    // Data goes where the benches' own connection does.
    const std::string host = socket_.LocalHost();
    tcp.bind_host = host.empty() ? "127.0.0.1" : host;
    path_ = absl::StrCat("bound to ", tcp.bind_host);
    made = transport::CreateTcpTransport(tcp);
  } else {
    transport::verbs::VerbsOptions verbs;
    verbs.wishes = wishes;
    transport::VerbsChoice choice;
    made = transport::CreateVerbsTransport(verbs, &choice);
    path_ = choice.summary;
  }
  if (!made.ok()) return made.status();
  transport_ = *std::move(made);
  transport::LocalRegion region;
  region.fd = pool_fd_.get();
  region.base = pool_.base();
  region.size = pool_.bytes();
  region.target = target;
  auto memory = transport_->ExportMemory({&region, 1});
  if (!memory.ok()) return memory.status();
  memory_ = *std::move(memory);
  return absl::OkStatus();
}

absl::StatusOr<bool> BenchEnd::ReadFrames() {
  bool any = false;
  while (true) {
    auto frame = socket_.Receive();
    if (!frame.ok()) return frame.status();
    if (!frame->has_value()) return any;
    any = true;
    if (absl::Status status = OnFrame(**frame); !status.ok()) return status;
  }
}

void BenchEnd::Sleep() {
  constexpr int kNapMs = 100;
  if (transport_ != nullptr && !transport_->PrepareToSleep()) return;
  pollfd fds[2] = {{socket_.fd(), POLLIN, 0}, {-1, POLLIN, 0}};
  if (transport_ != nullptr) fds[1].fd = transport_->wait_fd();
  poll(fds, 2, kNapMs);
}

absl::Status BenchEnd::RunUntil(const std::function<bool()>& done) {
  constexpr auto kStuck = std::chrono::seconds(10);
  constexpr int kSpins = 2000;
  TimePoint moved = Monotonic::now();
  int idle = 0;
  while (!done()) {
    const TimePoint now = Monotonic::now();
    auto frames = ReadFrames();
    if (!frames.ok()) return frames.status();
    const bool work = (transport_ != nullptr && transport_->Poll(now, this)) || *frames;
    if (!broken_.ok()) return broken_;
    if (work) moved = now;
    if (now - moved > kStuck) {
      return Error(Reason::kDeadline, "nothing has moved between the two ends for 10 s");
    }
    idle = work ? 0 : idle + 1;
    // Both ends may share one processor: who waits lets the other one work.
    if (idle > 0) sched_yield();
    if (idle > kSpins && !done()) Sleep();
  }
  return absl::OkStatus();
}

}  // namespace baton::ctl

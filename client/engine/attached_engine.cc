#include "client/engine/attached_engine.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/reason.h"
#include "common/shm_abi/attach_limits.h"
#include "common/shm_abi/ring_layout.h"

namespace baton {
namespace {

absl::Status CheckOptions(const EngineOptions& options) {
  RankRef rank{options.server, options.coord};
  if (options.slots < 1 || options.slots > shm_abi::kSlotsMax) {
    return Error(Reason::kConfig,
                 absl::StrCat("slots of ", ToString(rank), " is ", options.slots, ", not 1 to ",
                              shm_abi::kSlotsMax),
                 rank);
  }
  if (options.peers > shm_abi::kPeersMax) {
    return Error(Reason::kConfig,
                 absl::StrCat("peers of ", ToString(rank), " is ", options.peers, ", not 0 to ",
                              shm_abi::kPeersMax),
                 rank);
  }
  if (!shm_abi::RingBytesValid(options.ring_bytes)) {
    return Error(Reason::kConfig,
                 absl::StrCat("ring_bytes of ", ToString(rank), " is ", options.ring_bytes,
                              ", not a power of two from ", shm_abi::kRingBytesMin, " to ",
                              shm_abi::kRingBytesMax),
                 rank);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<EngineClient>> EngineClient::Attach(EngineOptions options) {
  if (absl::Status s = CheckOptions(options); !s.ok()) return s;
  absl::StatusOr<Attachment> attachment =
      AttachToAgent(options, Monotonic::now() + options.attach_timeout, [] { return true; });
  if (!attachment.ok()) return attachment.status();
  absl::StatusOr<TableView> table = TableView::Reserve(options.slots, options.peers);
  if (!table.ok()) return table.status();
  auto engine = std::make_unique<AttachedEngine>(std::move(options), *std::move(table));
  if (absl::Status s = engine->Start(*std::move(attachment)); !s.ok()) return s;
  return engine;
}

AttachedEngine::AttachedEngine(EngineOptions options, TableView table)
    : options_(std::move(options)),
      rank_{options_.server, options_.coord},
      table_(std::move(table)),
      book_(options_.slots),
      peers_(options_.peers) {}

absl::Status AttachedEngine::Start(Attachment attachment) {
  wake_ = UniqueFd(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!wake_) return SystemError("eventfd", errno);
  {
    MutexLock lock(&mu_);
    if (absl::Status s = Adopt(std::move(attachment)); !s.ok()) return s;
  }
  looked_at_ = Monotonic::now();
  watch_ = std::thread([this] { RunOnWatch(); });
  return absl::OkStatus();
}

AttachedEngine::~AttachedEngine() {
  stop_.store(true);
  uint64_t one = 1;
  if (wake_) (void)!write(wake_.get(), &one, sizeof(one));
  if (watch_.joinable()) watch_.join();
}

absl::Status AttachedEngine::Adopt(Attachment attachment) {
  if (absl::Status s = table_.Show(attachment.table.get()); !s.ok()) return s;
  attachment.table.Reset();
  producer_.emplace(attachment.ring.base());
  epoch_.store(attachment.epoch.value(), std::memory_order_release);
  attachment_ = std::move(attachment);
  ++attachment_number_;
  attached_.store(true, std::memory_order_release);
  for (shm_abi::WatchPeer& watch : peers_.Open()) Owe(std::move(watch));
  LOG(INFO) << ToString(rank_) << " attached to its agent, epoch " << attachment_->epoch.value();
  return absl::OkStatus();
}

}  // namespace baton

#include "transfer_agent/transport/verbs/rail.h"

#include <errno.h>
#include <fcntl.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/reason.h"

namespace baton::transport::verbs {
namespace {

constexpr Duration kPauseMin = std::chrono::milliseconds(100);
constexpr Duration kPauseMax = std::chrono::seconds(30);

void SetNonBlocking(int fd) { fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK); }

}  // namespace

absl::StatusOr<std::unique_ptr<Rail>> Rail::Open(Provider* provider, const ChosenRail& chosen,
                                                 size_t index, const VerbsOptions& options) {
  std::unique_ptr<Rail> rail(new Rail(provider, chosen, index));
  if (absl::Status status = rail->Build(options); !status.ok()) return status;
  return rail;
}

absl::Status Rail::Failed(absl::string_view call) const {
  return Error(Reason::kNoTransport,
               absl::StrCat("verbs ", name(), ": ", call, ": ", std::strerror(errno)));
}

absl::Status Rail::Build(const VerbsOptions& options) {
  context_ = provider_->Open(chosen_.port.device);
  if (context_ == nullptr) return Failed("the device cannot be opened");
  if ((errno = provider_->QueryLimits(context_, &limits_)) != 0) return Failed("query_device");
  SetNonBlocking(context_->async_fd);
  pd_ = provider_->AllocPd(context_);
  if (pd_ == nullptr) return Failed("alloc_pd");
  wakeups_ = provider_->CreateChannel(context_);
  if (wakeups_ == nullptr) return Failed("create_comp_channel");
  SetNonBlocking(wakeups_->fd);
  entries_ = std::min(options.completion_queue, limits_.completions_max);
  cq_ = provider_->CreateCq(context_, static_cast<int>(entries_), wakeups_);
  if (cq_ == nullptr) return Failed(absl::StrCat("create_cq of ", entries_, " entries"));
  return absl::OkStatus();
}

Rail::~Rail() {
  const auto check = [this](int error, absl::string_view call) {
    if (error != 0) LOG(ERROR) << "verbs " << name() << ": " << call << ": " << strerror(error);
  };
  if (cq_ != nullptr) check(provider_->DestroyCq(cq_), "destroy_cq");
  if (wakeups_ != nullptr) check(provider_->DestroyChannel(wakeups_), "destroy_comp_channel");
  if (pd_ != nullptr) check(provider_->DeallocPd(pd_), "dealloc_pd");
  if (context_ != nullptr) provider_->Close(context_);
}

std::string Rail::name() const { return absl::StrCat(chosen_.port.device, "/", chosen_.port.port); }

void Rail::Pause(TimePoint now) {
  if (now < health.paused_until) return;
  metrics_->pauses.Add();
  health.pause = std::clamp(health.pause * 2, kPauseMin, kPauseMax);
  health.paused_until = now + health.pause;
}

absl::Status Rail::Reserve(uint32_t completions) {
  if (reserved_ + completions > entries_) {
    return Error(Reason::kFull, absl::StrCat("verbs ", name(), ": its completion queue of ",
                                             entries_, " entries has ", reserved_,
                                             " in use, a channel needs ", completions));
  }
  reserved_ += completions;
  return absl::OkStatus();
}

}  // namespace baton::transport::verbs

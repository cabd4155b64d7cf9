#include "tests/chaos/party.h"

#include <signal.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/reason.h"

namespace baton::chaos {
namespace {

// The longest that a room may take, and the agent's own end.
constexpr std::chrono::seconds kDrainMax{20};

}  // namespace

absl::Status Party::Start() {
  auto started = starter_();
  if (!started.ok()) return started.status();
  child_ = *std::move(started);
  state_ = State::kUp;
  return absl::OkStatus();
}

void Party::Kill(TimePoint back) {
  if (state_ == State::kDead) return;
  kill(child_->pid(), SIGKILL);
  child_->Reap(Monotonic::now() + std::chrono::seconds(10));
  state_ = State::kDead;
  back_ = back;
}

void Party::Drain(TimePoint back) {
  if (state_ != State::kUp) return;
  child_->Terminate();
  state_ = State::kDraining;
  back_ = back;
}

void Party::Stop(TimePoint back) {
  if (state_ != State::kUp) return;
  kill(child_->pid(), SIGSTOP);
  state_ = State::kStopped;
  back_ = back;
}

absl::StatusOr<bool> Party::Heal(TimePoint now) {
  if (state_ == State::kUp || state_ == State::kDraining || now < back_) return false;
  if (state_ == State::kDead) {
    absl::Status started = Start();
    if (!started.ok()) return started;
    return true;
  }
  kill(child_->pid(), SIGCONT);
  state_ = State::kUp;
  return true;
}

absl::Status Party::Check() {
  if (state_ == State::kDraining) return CheckDrained(Monotonic::now());
  if (state_ != State::kUp || child_->Running()) return absl::OkStatus();
  state_ = State::kDead;
  back_ = TimePoint();
  return Error(Reason::kSystem, absl::StrCat(name_, " ", child_->State(), ", though nobody killed ",
                                             "it; the end of its log:\n", child_->LogTail(20)));
}

absl::Status Party::CheckDrained(TimePoint now) {
  if (child_->Running()) {
    if (now < back_ + kDrainMax) return absl::OkStatus();
    Kill(now);
    return Error(Reason::kSystem, absl::StrCat(name_, " did not end when it was asked to; the end ",
                                               "of its log:\n", child_->LogTail(20)));
  }
  state_ = State::kDead;
  if (child_->State() == "ended with status 0") return absl::OkStatus();
  return Error(Reason::kSystem, absl::StrCat(name_, " ", child_->State(), " when it was asked to ",
                                             "end; the end of its log:\n", child_->LogTail(20)));
}

void Party::End() {
  if (child_ == nullptr || !child_->Running()) return;
  kill(child_->pid(), SIGCONT);
  child_->Terminate();
  child_->Reap(Monotonic::now() + std::chrono::seconds(10));
  state_ = State::kDead;
  back_ = TimePoint::max();
}

}  // namespace baton::chaos

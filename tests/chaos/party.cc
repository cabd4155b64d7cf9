#include "tests/chaos/party.h"

#include <signal.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/reason.h"

namespace baton::chaos {
namespace {

// The longest that a room may take, and the agent's own end.
constexpr std::chrono::seconds kDrainMax{20};
// By then a process has taken over what SIGTERM does; one that has not yet just ends.
constexpr std::chrono::seconds kStarting{3};

}  // namespace

absl::Status Party::Start() {
  auto started = starter_();
  if (!started.ok()) return started.status();
  child_ = *std::move(started);
  state_ = State::kUp;
  started_ = Monotonic::now();
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
  drained_ = Monotonic::now();
  back_ = back;
}

void Party::Stop(TimePoint back) {
  if (state_ != State::kUp) return;
  kill(child_->pid(), SIGSTOP);
  state_ = State::kStopped;
  stopped_ = Monotonic::now();
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
  // What it had no time for before it was stopped, it does now.
  if (stopped_ - started_ < kStarting) started_ = now;
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
  const std::string end = child_->State();
  if (end == "ended with status 0") return absl::OkStatus();
  const bool starting = drained_ - started_ < kStarting;
  if (starting && end == "was ended by signal 15") return absl::OkStatus();
  return Error(Reason::kSystem, absl::StrCat(name_, " ", end, " when it was asked to end; the end ",
                                             "of its log:\n", child_->LogTail(20)));
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

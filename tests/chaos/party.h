// A process that may be killed, stopped, woken and started again at any moment.
#ifndef BATON_TESTS_CHAOS_PARTY_H_
#define BATON_TESTS_CHAOS_PARTY_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/clock.h"
#include "tests/demo/runner/child.h"

namespace baton::chaos {

// Thread-compatible; used from the main thread, as Child demands.
class Party {
 public:
  using Starter = std::function<absl::StatusOr<std::unique_ptr<demo::Child>>()>;

  Party(std::string name, Starter starter) : name_(std::move(name)), starter_(std::move(starter)) {}

  const std::string& name() const { return name_; }
  absl::Status Start();
  // Dead until Heal, or until `back`.
  void Kill(TimePoint back);
  // Asked to end (SIGTERM); a new one starts once it has, at `back` or later.
  void Drain(TimePoint back);
  // Stopped until Heal, or until `back`.
  void Stop(TimePoint back);
  void ComeBackNow() { back_ = TimePoint(); }
  // Starts or wakes it when its time has come. True when it did.
  absl::StatusOr<bool> Heal(TimePoint now);

  bool up() const { return state_ == State::kUp; }
  bool dead() const { return state_ == State::kDead; }
  // An error, with the end of its log, when it ended although nobody killed it, or ended badly or
  // not at all when it was asked to.
  absl::Status Check();
  pid_t pid() const { return child_ == nullptr ? 0 : child_->pid(); }
  std::string LogTail(size_t lines) const { return child_->LogTail(lines); }
  void End();

 private:
  absl::Status CheckDrained(TimePoint now);

  enum class State : uint8_t { kDead, kUp, kStopped, kDraining };

  const std::string name_;
  const Starter starter_;
  std::unique_ptr<demo::Child> child_;
  State state_ = State::kDead;
  TimePoint started_;  // or woke, when it was stopped as it started
  TimePoint stopped_;
  TimePoint drained_;
  TimePoint back_;
};

}  // namespace baton::chaos

#endif  // BATON_TESTS_CHAOS_PARTY_H_

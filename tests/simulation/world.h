// Virtual time, and the processes that live in it. Events run one at a time in the order of their
// time; equal times run in the order in which they were asked for.
//
// A process is alive, stopped (SIGSTOP: what is for it waits, in order, until it wakes) or dead.
// Single-threaded.
#ifndef BATON_TESTS_SIMULATION_WORLD_H_
#define BATON_TESTS_SIMULATION_WORLD_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/clock.h"
#include "tests/simulation/random.h"

namespace baton::sim {

using Action = std::function<void()>;

struct Process {
  std::string name;
  uint32_t host = 0;
  bool alive = true;
  bool stopped = false;
  TimePoint fell_asleep;  // the last time
  TimePoint woke;
  std::deque<Action> held;       // while stopped
  std::vector<Action> at_death;  // what the kernel does: sockets close
};
using ProcessPtr = std::shared_ptr<Process>;

class World {
 public:
  World(uint64_t seed, bool trace) : random(seed), trace_(trace) {}

  Random random;

  TimePoint now() const { return now_; }
  ProcessPtr NewProcess(std::string name, uint32_t host);

  // Runs in no process: the network, faults.
  void After(Duration delay, Action action) { At(now_ + delay, std::move(action)); }
  void At(TimePoint when, Action action);
  // Runs in the process: at once, when it wakes, or never.
  void Run(const ProcessPtr& process, Action action);
  void RunAfter(const ProcessPtr& process, Duration delay, Action action);

  void Kill(const ProcessPtr& process);
  void Stop(const ProcessPtr& process);
  void Wake(const ProcessPtr& process);

  // The next event, if it is not after `until`. False: there was none, and it is `until` now.
  bool Step(TimePoint until);

  uint64_t steps() const { return steps_; }
  // What a history did, folded: equal for equal seeds.
  uint64_t digest() const { return digest_; }
  void Fold(uint64_t value) { digest_ = (digest_ ^ value) * 0x100000001b3; }

  bool tracing() const { return trace_; }
  template <typename... Words>
  void Trace(const Words&... words) {
    if (trace_) Print(absl::StrCat(words...));
  }

 private:
  struct Item {
    TimePoint when;
    uint64_t number;
    Action action;
    bool operator<(const Item& other) const {
      return when != other.when ? when > other.when : number > other.number;
    }
  };
  void Print(const std::string& line) const;

  const bool trace_;
  TimePoint now_ = TimePoint() + std::chrono::hours(1);
  uint64_t steps_ = 0;
  uint64_t digest_ = 0xcbf29ce484222325;
  uint64_t last_number_ = 0;
  std::vector<Item> queue_;  // a heap
};

}  // namespace baton::sim

#endif  // BATON_TESTS_SIMULATION_WORLD_H_

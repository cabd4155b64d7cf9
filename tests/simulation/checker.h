// What must hold (design section 3), judged at every step of a history. The checker sees every
// write of a completion table at the instant it is made, and knows what the faults were.
#ifndef BATON_TESTS_SIMULATION_CHECKER_H_
#define BATON_TESTS_SIMULATION_CHECKER_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/shm_abi/table.h"
#include "tests/simulation/figures.h"
#include "tests/simulation/request.h"
#include "tests/simulation/sim_transport.h"
#include "tests/simulation/world.h"

namespace baton::sim {

// Where a rail was lost, until the far end is given up, once all is sent.
inline constexpr Duration kRailTime = kRetryHorizon + kCleanTime;

// Whether heads and layers of a source and a target, in either order, overlap.
bool Feeds(const Leg& source, const Leg& target);

class Checker {
 public:
  explicit Checker(World* world) : world_(world) {}

  // The first word names the property. A history is over at its first violation.
  void Violated(const std::string& what);
  const std::string& violation() const { return violation_; }

  Holder NewHolder(Leg* leg) {
    holders_.push_back(leg);
    return holders_.size();
  }
  // Its engine takes it for lost: nothing of it is used again before it is released.
  void OnQuarantined(Leg* leg);
  // A byte that was on its way to the holder's pages is not what was sent.
  void OnFlipped(Holder holder);

  // --- what engines do and read
  void OnOpened(Leg* leg);
  void OnNeverOpened(Leg* leg) { leg->request->Hurt(); }
  void OnAborted(Leg* leg);
  void OnLastSent(Leg* leg);
  void OnPublished(Leg* leg, shm_abi::RoomWord word, const absl::Status& cause, const Pool& pool);
  void OnAgentLost(Leg* leg);
  void OnEngineDied(Leg* leg);

  // Of the agent at which a leg is open: nullopt while it is dead or stopped, else when it woke.
  using Awake = std::function<std::optional<TimePoint>(const Leg&)>;
  void SetAwake(Awake awake) { awake_ = std::move(awake); }
  // A source has handed over its last chunk.
  void SetOnLastSent(std::function<void(const Leg&)> on) { on_last_sent_ = std::move(on); }
  // Called before a request is judged undisturbed.
  void SetBeforeJudging(Action note) { before_judging_ = std::move(note); }
  // Whether the bootstrap service was away at any time since then.
  void SetRegistryLost(std::function<bool(TimePoint)> lost) { registry_lost_ = std::move(lost); }
  // A party of these requests died: whoever has been offered pages must learn it.
  void OnDeath(const std::vector<Leg*>& survivors);
  // Ends of a history.
  void CheckAllOver(const std::vector<std::unique_ptr<Request>>& requests);
  void CheckProbe(const Request& request);

  // Figures.
  uint64_t rooms_done = 0;
  uint64_t rooms_failed = 0;
  uint64_t clean_rooms = 0;
  uint64_t quarantined = 0;
  uint64_t flipped = 0;
  Figures figures;
  uint64_t moved = 0;         // parts that went on over another channel, and landed
  uint64_t without_rail = 0;  // requests that no rail was left for
  std::vector<Duration> abort_times;

 private:
  // `within`: beyond the leg's fence.
  void CheckEnded(Leg* leg, TimePoint since, Duration within, const char* property);
  void JudgeEnded(Leg* leg, TimePoint since, Duration within, const char* property);
  void CheckOthersLearn(const Leg* failed);
  void CheckSourceDone(const Leg& source);
  void CheckMayFail(const Leg& leg);
  void NoteEnd(Leg* leg);
  void NoteAbortTime(const Leg& leg);
  void CheckClean(const Request* request);
  // Nothing but connections or rails were lost: it has ended, and well where it could go on.
  void CheckEndedWhole(const Request* request);
  std::string Describe(const Leg& leg) const;

  World* const world_;
  Awake awake_;
  Action before_judging_;
  std::function<void(const Leg&)> on_last_sent_;
  std::function<bool(TimePoint)> registry_lost_;
  std::string violation_;
  std::vector<Leg*> holders_;  // by number, from 1
};

}  // namespace baton::sim

#endif  // BATON_TESTS_SIMULATION_CHECKER_H_

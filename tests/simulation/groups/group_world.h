// A group of ranks whose agents are the shipped core, and a network, engines and faults drawn from
// a seed. Everything happens in one thread; equal seeds are equal histories.
#ifndef BATON_TESTS_SIMULATION_GROUPS_GROUP_WORLD_H_
#define BATON_TESTS_SIMULATION_GROUPS_GROUP_WORLD_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/simulation/groups/ground_truth.h"
#include "tests/simulation/random.h"
#include "transfer_agent/group/seat.h"

namespace baton::sim {

struct GroupFigures {
  uint64_t entries = 0, finished = 0, failed = 0, leaders = 0, restarts = 0, deaths = 0;
};

struct GroupOutcome {
  std::string violation;
  GroupFigures figures;
};

class GroupWorld {
 public:
  explicit GroupWorld(uint64_t seed);

  // Chance for a while, then everything is mended and must come to rest.
  GroupOutcome Run();

 private:
  struct OpenUse {
    size_t use = 0;     // of the ground truth
    bool told = false;  // how it ended
  };
  // A rank: its agent, what its engine keeps of the agent's log, and its engine.
  struct Rank {
    std::unique_ptr<group::Seat> seat;  // none: the agent is dead
    std::unique_ptr<group::HeldLog> kept;
    group::Life life;
    bool engine = true;
    bool began = false;
    bool stopped = false;  // the agent does nothing, and hears nothing
    bool lost = false;     // its engine took the log along: it comes back as another
    uint64_t shown = 0;    // of the log, in the engine's memory
    uint64_t applied = 0;
    size_t next_step = 0;
    std::map<RoomKey, OpenUse> open;
    group::SeatState last_state = group::SeatState::kFollowing;
  };
  // One direction of a connection.
  struct Pipe {
    bool up = false;  // the receiver believes so
    bool cut = true;  // what is sent is lost, until both ends have heard
    std::deque<group::Message> queue;
  };
  // The engines' schedule: all apply up to `end`, then open rooms.
  struct Step {
    uint64_t end = 0;
    std::vector<RoomKey> rooms;
  };

  Pipe& PipeOf(group::SeatIndex from, group::SeatIndex to) { return pipes_[from * n_ + to]; }
  void Settle(group::SeatIndex at);
  void Deliver();
  void Network(bool faults);
  void Cut(group::SeatIndex a, group::SeatIndex b);
  void HearDown(group::SeatIndex at, group::SeatIndex of);
  void Mend(group::SeatIndex a, group::SeatIndex b);
  void KillAgent(group::SeatIndex at);
  void StartAgent(group::SeatIndex at);
  void KillEngine(group::SeatIndex at);
  void Fault();
  void Schedule();
  void Engines();
  void Advance(group::SeatIndex at);
  void Conclude(group::SeatIndex at);
  void Apply(group::SeatIndex at, const group::Entry& entry);
  void Clock();
  void Heal();
  void CheckRest();
  bool Works(group::SeatIndex at) const { return ranks_[at].seat && !ranks_[at].stopped; }
  bool MayLose(group::SeatIndex at) const;

  Random random_;
  const group::SeatIndex n_;
  const bool prefill_;
  const uint32_t faults_;
  TimePoint now_ = TimePoint() + std::chrono::hours(1);
  uint64_t lives_ = 0;
  std::vector<Rank> ranks_;
  std::vector<Pipe> pipes_;
  std::vector<Step> steps_;
  GroundTruth truth_;
  GroupFigures figures_;
};

}  // namespace baton::sim

#endif  // BATON_TESTS_SIMULATION_GROUPS_GROUP_WORLD_H_

// One start of one simulated engine rank: attaches to its pod's agent, opens rooms, sends chunks,
// and gives pages back when it reads that it may. It reads its table with a delay; what the table
// said when is the checker's business.
#ifndef BATON_TESTS_SIMULATION_ENGINE_H_
#define BATON_TESTS_SIMULATION_ENGINE_H_

#include <array>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/simulation/agent.h"
#include "tests/simulation/checker.h"
#include "tests/simulation/request.h"

namespace baton::sim {

struct EngineStart {
  RankRef rank;
  RankCoord sizes;
  Role role = Role::kPrefill;
  std::string launch_id;
  std::string prefill_name;  // unused
};

class Engine {
 public:
  // `agent` finds the pod's agent as it is now.
  Engine(World* world, Checker* checker, EngineStart start, uint32_t host,
         std::function<Agent*()> agent);

  const ProcessPtr& process() const { return process_; }
  const EngineStart& start() const { return start_; }
  Agent* agent() const { return agent_; }  // attached to; null while it is not
  size_t free_pages() const { return pool_->free_pages(); }
  // Attached, registered and leased.
  bool Ready() const;

  // Opens the leg and does what the request asks, soon.
  void TakePart(Leg* leg, const std::string& prefill_name);
  void Abort(Leg* leg);

 private:
  void TryAttach();
  void AttachTo(Agent* agent);
  void OnDetached(uint64_t life, bool agent_died);
  void Open(Leg* leg, const std::string& prefill_name, TimePoint give_up);
  // False: the leg does nothing of the kind.
  bool PlanRepeatedTokens(Leg* leg);
  void PlanChunks(Leg* leg);
  void SendChunk(Leg* leg, uint64_t begin, uint64_t end, bool last);
  void OnPublished(uint64_t life, uint32_t slot, shm_abi::RoomWord word);
  void React(uint64_t life, Leg* leg);
  // As libbaton looks at the heartbeat.
  void WatchAgent();
  void LookAtAgent();
  void ReleaseGhosts();
  void Push(shm_abi::Command command);

  World* const world_;
  Checker* const checker_;
  const EngineStart start_;
  const std::function<Agent*()> find_agent_;
  const ProcessPtr process_;
  std::shared_ptr<Pool> pool_;
  std::shared_ptr<Attachment> shared_;
  Agent* agent_ = nullptr;
  uint64_t life_ = 0;  // of the attachment
  bool watching_ = false;
  // Pages of rooms whose agent ended the attachment, and lives: written until it is dead, or takes
  // this rank again.
  std::vector<Holder> ghosts_;
  std::array<Leg*, kRows> slots_ = {};
  std::array<uint32_t, kRows> generations_ = {};
};

}  // namespace baton::sim

#endif  // BATON_TESTS_SIMULATION_ENGINE_H_

// One rank of the demo's engine: a thread that attaches to the agent, then goes through its rooms.
//
// Rooms are admitted strictly in the order in which the router opened them, which is the same on
// all ranks: so the oldest room always gets its pages everywhere, and no two rooms can wait for
// each other.
#ifndef BATON_TESTS_DEMO_ENGINE_RANK_LOOP_H_
#define BATON_TESTS_DEMO_ENGINE_RANK_LOOP_H_

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "client/engine/engine_client.h"
#include "common/mutex.h"
#include "demo/v1/demo.pb.h"
#include "tests/demo/engine/canary_book.h"
#include "tests/demo/engine/engine_room.h"
#include "tests/demo/engine/rank_memory.h"

namespace baton::demo {

class RankLoop {
 public:
  // Must be thread-safe.
  using Report = std::function<void(const v1::FromEngine&)>;

  RankLoop(v1::Configure configure, RankCoord coord, Report report);

  // Thread-safe.
  void Open(const v1::OpenRoom& open);
  void Finish();
  void Stop();

  // The thread's body: returns when attaching fails or after Stop.
  void Run();

  const RankCoord& coord() const { return coord_; }

 private:
  absl::Status Attach();
  void TakeRooms();
  // Gives the oldest waiting rooms their pages. True when one got them.
  bool Admit();
  bool StepAll();
  void Retire(EngineRoom* room);
  // True once.
  bool FinishIfDone();
  void Sleep();
  v1::Rank rank() const;

  const v1::Configure configure_;
  const RankCoord coord_;
  const Report report_;
  std::unique_ptr<RankMemory> memory_;
  std::optional<CanaryBook> canaries_;  // decode only
  std::unique_ptr<EngineClient> engine_;
  std::deque<v1::OpenRoom> waiting_;
  std::vector<std::unique_ptr<EngineRoom>> rooms_;

  Mutex mu_;
  CondVar changed_;
  std::deque<v1::OpenRoom> inbox_ ABSL_GUARDED_BY(mu_);
  bool finish_ ABSL_GUARDED_BY(mu_) = false;
  bool stop_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace baton::demo

#endif  // BATON_TESTS_DEMO_ENGINE_RANK_LOOP_H_

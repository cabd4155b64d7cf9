// One room on one rank, as the engine goes through it. Source and target have the same shape.
#ifndef BATON_TESTS_DEMO_ENGINE_ENGINE_ROOM_H_
#define BATON_TESTS_DEMO_ENGINE_ENGINE_ROOM_H_

#include <cstdint>

#include "client/engine/engine_client.h"
#include "demo/v1/demo.pb.h"
#include "tests/demo/engine/rank_memory.h"

namespace baton::demo {

// CLOCK_MONOTONIC, which all processes of the machine share.
uint64_t NowNs();

// "ROOM_IN_USE at decode-0[...]: text".
std::string Describe(const absl::Status& status);

class EngineRoom {
 public:
  // `engine` and `memory` are borrowed. The share is given back by the caller, who asks
  // may_reuse_pages() first.
  EngineRoom(EngineClient* engine, RankMemory* memory, v1::OpenRoom open, RoomShare share);
  virtual ~EngineRoom() = default;
  EngineRoom(const EngineRoom&) = delete;
  EngineRoom& operator=(const EngineRoom&) = delete;

  // Does a bounded piece of work. True when it got on, so that there may be more to do at once.
  bool Step();
  bool finished() const { return finished_; }
  // Baton has let go of the pages.
  bool may_reuse_pages() const { return released_; }
  // Every page of it holds the room's content.
  bool content_is_known() const { return content_is_known_; }

  const RoomShare& share() const { return share_; }
  const v1::RoomReport& report() const { return report_; }
  RoomKey key() const { return {open_.id(), open_.nonce()}; }

 protected:
  virtual absl::StatusOr<RoomHandle> Open() = 0;
  // After Open, until terminal. True when it got on.
  virtual bool Work(const RoomStatus& status) = 0;
  // After success, until it says false.
  virtual bool Check() = 0;

  void Fail(const std::string& why);

  EngineClient* const engine_;
  RankMemory* const memory_;
  const v1::OpenRoom open_;
  RoomShare share_;
  v1::RoomReport report_;
  RoomHandle handle_;
  bool content_is_known_ = false;

 private:
  bool StepOpen();
  bool StepTerminal(const RoomStatus& status);
  void Finish();

  uint64_t give_up_ns_;
  bool opened_ = false;
  bool checking_ = false;
  bool finished_ = false;
  bool released_ = false;
};

}  // namespace baton::demo

#endif  // BATON_TESTS_DEMO_ENGINE_ENGINE_ROOM_H_

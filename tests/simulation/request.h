// One request as the router sent it, and what became of it at each rank: what the checker judges.
#ifndef BATON_TESTS_SIMULATION_REQUEST_H_
#define BATON_TESTS_SIMULATION_REQUEST_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/ids.h"
#include "common/shm_abi/commands.h"
#include "tests/simulation/pool.h"

namespace baton::sim {

// What an engine does wrong, or what the router does.
enum class Quirk : uint8_t {
  kNone,
  kNeverOpens,    // one leg's engine does not take part
  kNeverSends,    // one source never sends its last chunk
  kSendsTwice,    // one source sends its last chunk twice, or its first instead of the next
  kTotalsDiffer,  // one source has another number of tokens
  kSkipsTokens,   // one source leaves a gap
  kAborts,        // one engine aborts
  kOperatorAborts,
};

struct Request;
class Engine;

enum class LegState : uint8_t {
  kPlanned,
  kOpen,
  kOffered,
  kDone,
  kFailed,
  kLost,  // its engine died, or the agent that held it did
};

struct Leg {
  Request* request = nullptr;
  size_t server = 0;
  RankRef rank;
  RankCoord sizes;  // of its server
  Role role = Role::kPrefill;
  bool quirky = false;

  LegState state = LegState::kPlanned;
  bool released = false;
  std::string cause;
  Engine* engine = nullptr;  // that opened it
  Holder holder = 0;
  shm_abi::SlotRef slot;
  std::vector<int32_t> pages;
  uint32_t row = 0;
  uint64_t sent_to = 0;  // tokens handed over
  bool last_sent = false;
  bool closed = false;
  TimePoint opened;
  TimePoint deadline;
  TimePoint ended;    // terminal in the table
  TimePoint aborted;  // when its engine asked
  TimePoint released_at;
  // When a rank died that it had been offered pages by, or had offered some.
  TimePoint partner_died;
  // How long its pages may be out of reach though its agent lives: the transport's fence.
  Duration fence = {};
  // Its agent has shown no heartbeat: nobody knows whether its pages are still written.
  bool quarantined = false;

  bool terminal() const { return state >= LegState::kDone; }
  bool gone() const { return state == LegState::kLost; }
};

struct Request {
  uint64_t number = 0;
  RoomKey key;
  uint64_t salt = 0;
  size_t prefill = 0;
  size_t decode = 0;
  uint32_t prefill_dp = 0;
  bool dp_told = true;  // else the decode agents look it up
  uint32_t decode_dp = 0;
  uint64_t total = 0;
  uint64_t prefix = 0;
  uint32_t time_left_ms = 0;
  Quirk quirk = Quirk::kNone;
  // How much longer than usual its prefill takes.
  uint32_t pace = 1;
  TimePoint begins;
  // Something happened to one of its parties: it need not succeed.
  bool disturbed = false;
  // More than a lost connection: it need not end at once either.
  bool hurt = false;
  void Hurt() { disturbed = hurt = true; }
  // When a connection between two of its parties, or a rail of one, was last lost.
  TimePoint broken;
  bool rail_lost = false;
  // Connections whose loss costs time only: where a path is left, its rooms land.
  bool moves = false;
  // No rail was left between two of its parties, for a time.
  bool no_rail = false;
  // When the last chunk was handed over.
  TimePoint all_sent;
  // Another request has the same id and no nonce: nobody can tell their ranks apart.
  bool mixed = false;
  std::vector<std::unique_ptr<Leg>> legs;

  bool clean() const { return quirk == Quirk::kNone && !disturbed; }
};

}  // namespace baton::sim

#endif  // BATON_TESTS_SIMULATION_REQUEST_H_

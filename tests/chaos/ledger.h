// Which rooms are out, who must report on them by when, and what has been violated. Pure: time is
// an argument.
#ifndef BATON_TESTS_CHAOS_LEDGER_H_
#define BATON_TESTS_CHAOS_LEDGER_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/ids.h"
#include "demo/v1/demo.pb.h"

namespace baton::chaos {

struct LedgerCounts {
  uint64_t rooms = 0;
  uint64_t done = 0;    // every leg, or those that lived on
  uint64_t failed = 0;  // some leg says so
  uint64_t calm = 0;    // whose pods no fault came near: these must not fail
  uint64_t lost = 0;    // of those, the ones that did
  uint64_t pages = 0;   // landed and checked byte by byte
};

// One side of a room: so many ranks of the pod have a leg of it.
struct Side {
  uint32_t pod = 0;
  uint32_t legs = 0;
};

// Thread-compatible.
class Ledger {
 public:
  // An engine polls on for ten seconds after the deadline before it calls a room stuck, and says
  // so.
  static constexpr std::chrono::seconds kGrace{16};
  // By then both legs of a room are at their agents.
  static constexpr std::chrono::seconds kArrival{1};

  // `calm`: both pods have been well for long.
  void Opened(const RoomKey& room, Side prefill, Side decode, bool calm, TimePoint now,
              TimePoint deadline);
  // A fault hits the pod: its open rooms may fail.
  void Disturbed(uint32_t pod);
  // Its agent was asked to leave: what has surely reached it must still end well.
  void Draining(uint32_t pod, TimePoint now);
  // Its engine is gone: it reports no more on rooms that are open now.
  void Gone(uint32_t pod);
  // Its engine was stopped for so long: what it owes is due later.
  void Delayed(uint32_t pod, Duration time);

  void Reported(uint32_t pod, const demo::v1::RoomReport& report);
  void Finished(uint32_t pod, const demo::v1::FinalReport& report);
  // Rooms that somebody owes a report on.
  void CheckOverdue(TimePoint now);
  void Violation(std::string what) { violations_.push_back(std::move(what)); }

  size_t open() const { return rooms_.size(); }
  size_t open(uint32_t prefill_pod, uint32_t decode_pod) const;
  // Whether the room has ended and every leg of it was done; for probes.
  bool Succeeded(const RoomKey& room) const { return succeeded_.contains(room); }
  const LedgerCounts& counts() const { return counts_; }
  const std::vector<std::string>& violations() const { return violations_; }

 private:
  struct Room {
    uint32_t pods[2] = {0, 0};
    uint32_t legs[2] = {0, 0};  // reports that are out
    bool calm = false;
    TimePoint opened;
    bool failed = false;
    bool gone = false;
    TimePoint due;
  };
  using Rooms = std::map<RoomKey, Room>;

  void CloseIfSettled(Rooms::iterator it);

  Rooms rooms_;
  std::set<RoomKey> succeeded_;
  LedgerCounts counts_;
  std::vector<std::string> violations_;
};

}  // namespace baton::chaos

#endif  // BATON_TESTS_CHAOS_LEDGER_H_

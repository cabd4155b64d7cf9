// Adds up what the ranks report of a run.
#ifndef BATON_TESTS_DEMO_ROUTER_TALLY_H_
#define BATON_TESTS_DEMO_ROUTER_TALLY_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/ids.h"
#include "demo/v1/demo.pb.h"

namespace baton::demo {

struct RunResult {
  uint64_t rooms = 0;  // ended, failed ones too
  uint64_t failed = 0;
  uint64_t bytes = 0;  // that had to be at the targets, of rooms that did not fail
  uint64_t pages = 0;  // checked; a page of one layer and kind
  uint64_t pages_bad = 0;
  double wall_seconds = 0;
  // Seconds in which at least one room was between its first Send and its last Landed.
  double busy_seconds = 0;
  // Last Send to Landed everywhere, sorted.
  std::vector<uint64_t> handoff_ns;
  // The first things that went wrong, in words; empty when all is well.
  std::vector<std::string> faults;

  bool ok() const { return failed == 0 && pages_bad == 0 && faults.empty(); }
  uint64_t HandoffNs(double quantile) const;
};

// "room 42#7 layer 16 K page 17 byte 85 (token 9, head 0): found 0x1f, must be 0x0f, at
// decode[...]".
std::string Describe(const v1::Mismatch& mismatch, const std::string& rank);

// Thread-compatible.
class Tally {
 public:
  // Legs are the rank reports that the room still waits for.
  void Opened(const RoomKey& room, uint64_t tokens, uint32_t legs);
  // False when no such room is open.
  bool Reported(const v1::RoomReport& report, const std::string& server);
  void Finished(const v1::FinalReport& report, const std::string& server);
  void AddFault(const std::string& fault);
  // Every room that is open fails.
  void GiveUp(const std::string& why);

  uint64_t rooms_open() const { return open_.size(); }
  uint64_t tokens_open() const { return tokens_open_; }
  const RunResult& result() const { return result_; }
  RunResult Close(double wall_seconds);

 private:
  struct OpenRoom {
    uint64_t tokens = 0;
    uint32_t legs_left = 0;
    bool failed = false;
    uint64_t bytes = 0;
    uint64_t first_send_ns = UINT64_MAX;
    uint64_t last_send_ns = 0;
    uint64_t landed_ns = 0;
  };

  void Settle(const OpenRoom& room);

  std::map<RoomKey, OpenRoom> open_;
  uint64_t tokens_open_ = 0;
  std::vector<std::pair<uint64_t, uint64_t>> moving_;  // [first send, landed)
  RunResult result_;
};

}  // namespace baton::demo

#endif  // BATON_TESTS_DEMO_ROUTER_TALLY_H_

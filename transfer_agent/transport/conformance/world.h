// Two workers, their pools, and rooms between them: what a conformance test is written in.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_CONFORMANCE_WORLD_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_CONFORMANCE_WORLD_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "planner/cursor.h"
#include "planner/plan.h"
#include "transfer_agent/transport/conformance/factory.h"
#include "transfer_agent/transport/conformance/recorder.h"
#include "transfer_agent/transport/conformance/test_pool.h"
#include "transfer_agent/transport/transport.h"

namespace baton::transport {

// A worker: its transport, what it was told, its pool.
struct Node {
  // Other nodes may write to its pool when it is a target.
  Node(const Candidate& candidate, const PoolShape& shape, bool checksums = false,
       bool target = true);
  // What it has under way ends before its pool does.
  ~Node() { transport.reset(); }

  std::unique_ptr<Transport> transport;
  Recorder recorder;
  TestPool pool;
  MemoryId memory;
  std::string key;  // of the memory, for peers
};

struct ChannelPair {
  ChannelId source;
  ChannelId target;
};

// One offer: pages on both sides and the tokens they hold.
struct Room {
  OfferId offer;
  planner::RoomTokens tokens;
  std::vector<int32_t> source_pages;
  std::vector<int32_t> target_pages;
  planner::SidePages source_side;
  planner::SidePages target_side;
};

class World {
 public:
  // The peer that each side knows the other as.
  static constexpr PeerId kSource{7};
  static constexpr PeerId kTarget{9};

  explicit World(const Candidate& candidate, const PoolShape& source_shape = {},
                 const PoolShape& target_shape = {}, bool checksums = false);

  Node source;
  Node target;
  planner::PairPlan plan;
  // The target's memory, as the source imported it.
  RemoteMemoryId remote;

  // Opens a channel and drives until both sides say up.
  ChannelPair Connect();

  // Scattered pages of both pools, no page of the target twice over all rooms. Addresses stay.
  Room& NewRoom(uint32_t tokens, uint32_t prefix = 0);
  Window WindowOf(const Room& room, bool checksums = false) const;
  Segment SegmentOf(const Room& room, uint32_t begin, uint32_t end, bool close);
  // The whole room as one segment that closes part 0. Its cookie.
  uint64_t Send(ChannelId channel, const Room& room);

  // Polls both sides, asleep between rounds without work, until `condition` or 30 s.
  bool Drive(const std::function<bool()>& condition);
  // The same for one side alone.
  bool DriveOne(Node* node, const std::function<bool()>& condition);
  // Polls both for some rounds without work, to let what could still happen happen.
  void Settle();

  // The target's worker sees bytes land and fences by itself (tcp, shm). Else the source writes on
  // its own (verbs): a window cannot be checked against what comes, and a fence needs its answer.
  bool checked_by_target() const { return target.transport->capabilities().local_fence; }
  // So far: as the target counts them, or where it cannot, as the source's writes completed.
  uint64_t BytesLanded() const;
  // The target fences, the source stops and says so: what two agents do over their stream.
  void FenceTogether(ChannelId channel, const Room& room, uint64_t cookie);

  bool HasPart(const Room& room, uint32_t part = 0) const;
  bool IsFenced(const Room& room) const;
  // First page index whose bytes differ from the source's in any layer; -1: all are equal.
  int64_t FirstMismatch(const Room& room) const;
  uint64_t next_cookie = 1;

 private:
  bool PollBoth();
  Room& AddRoom(std::unique_ptr<Room> room);

  std::vector<int32_t> free_target_pages_;
  std::vector<std::unique_ptr<Room>> rooms_;
  uint64_t random_ = 1;
};

}  // namespace baton::transport

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_CONFORMANCE_WORLD_H_

// Hosts, the conditions between them, and connections: in order and reliable while they last, like
// TCP. What is sent over a cut waits, as a kernel's retransmissions do, until the cut heals or the
// connection is given up.
#ifndef BATON_TESTS_SIMULATION_NETWORK_H_
#define BATON_TESTS_SIMULATION_NETWORK_H_

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "tests/simulation/world.h"

namespace baton::sim {

using Payload = std::shared_ptr<const void>;

class Network;

// One connection. End 0 dialled, end 1 accepted.
class Wire : public std::enable_shared_from_this<Wire> {
 public:
  struct End {
    ProcessPtr process;
    std::function<void(const Payload&)> on_message;
    // The last call. Not after this end's own Close.
    std::function<void(const absl::Status&)> on_closed;
  };

  explicit Wire(Network* network) : network_(network) {}

  void Send(int from, Payload payload);
  // The other end is told why, after what was sent before.
  void Close(int from, const absl::Status& why);
  // What is under way is lost; each end learns it, at its own time.
  // `half_open`: only the dialler learns it.
  void Break(bool half_open = false);
  // This end is gone and says nothing: what is under way to the other end goes on, and arrives.
  void Vanish(int end);
  // Its ends are queue pairs: on these rails of their hosts; when it breaks, the dialler's end
  // learns it, and what is under way to the other may arrive still.
  void SetRails(uint32_t dialler, uint32_t acceptor) { rails_ = {dialler, acceptor}; }
  bool open(int end) const { return !ends_[end].closed; }
  void SetEnd(int end, End callbacks) { ends_[end].end = std::move(callbacks); }
  const ProcessPtr& process(int end) const { return ends_[end].end.process; }

 private:
  friend class Network;
  struct Packet {
    TimePoint due;
    Payload payload;  // null: the close
    absl::Status why;
  };
  struct Side {
    End end;
    bool closed = false;
    std::deque<Packet> inbox;  // towards this end
    bool pumping = false;
  };

  void Enqueue(int to, Packet packet);
  void Schedule(int to, TimePoint when);
  void Pump(int to);
  void Deliver(int to, Packet packet);
  void OnProcessDeath(int end);
  bool PathIsWhole() const;

  Network* const network_;
  std::array<Side, 2> ends_;
  std::optional<std::array<uint32_t, 2>> rails_;
  std::string address_;  // dialled
  Duration drag_ = Duration(0);
  bool accepted_ = false;
  bool broken_ = false;
};
using WirePtr = std::shared_ptr<Wire>;

class Network {
 public:
  using Accept = std::function<void(const WirePtr&)>;

  Network(World* world, uint32_t hosts)
      : world_(world), cut_(hosts, std::vector<bool>(hosts)), slow_(hosts, 1), healed_(hosts) {}
  // Ends hold their owners, and owners their ends.
  ~Network();

  World& world() { return *world_; }
  // One way, drawn anew each time.
  Duration Latency(uint32_t from, uint32_t to);
  bool Reachable(uint32_t a, uint32_t b) const { return !cut_[a][b]; }
  void SetCut(uint32_t a, uint32_t b, bool cut);
  // A rail of the host: its port is down, or up again.
  void SetRail(uint32_t host, uint32_t rail, bool up);
  bool RailIsUp(uint32_t host, uint32_t rail) const { return rails_down_.count({host, rail}) == 0; }
  // Since when it is down; the rail is not up.
  TimePoint DownSince(uint32_t host, uint32_t rail) const { return rails_down_.at({host, rail}); }
  // When a cut of the host from anyone last healed; what was said before may be heard after.
  TimePoint healed(uint32_t host) const { return healed_[host]; }
  // Added to what travels on connections whose address ends in `suffix`.
  void SetDrag(std::string suffix, Duration drag) {
    drag_suffix_ = std::move(suffix);
    drag_ = drag;
  }
  void SetSlow(uint32_t host, uint32_t factor);
  // No path was cut, slow or broken since then, and streams that broke before are dialled again.
  bool Calm(TimePoint since) const;

  // Who serves an address now: `accept` runs in `process` for each connection. A later one takes
  // the address over.
  void Listen(const std::string& address, ProcessPtr process, Accept accept);
  // May be sent to at once.
  WirePtr Connect(const std::string& address, uint32_t host, Wire::End dialler);
  // Breaks the connections between two hosts that are open now, each with a chance; of those alone
  // whose address ends in `suffix`.
  void BreakBetween(uint32_t a, uint32_t b, uint32_t percent, const std::string& suffix,
                    bool half_open = false);
  // Towards a process, out of order with everything else. Waits while the path is cut.
  void Datagram(uint32_t from, const ProcessPtr& to, Action action);

 private:
  friend class Wire;
  struct Listener {
    ProcessPtr process;
    Accept accept;
    uint32_t host = 0;
  };
  void Establish(const WirePtr& wire, const std::string& address, uint32_t host, TimePoint since);

  World* const world_;
  std::vector<std::vector<bool>> cut_;
  std::vector<uint32_t> slow_;
  std::string drag_suffix_;
  Duration drag_ = Duration(0);
  std::vector<TimePoint> healed_;
  TimePoint changed_;                                              // a path, the last time
  TimePoint broke_;                                                // a connection
  std::map<std::pair<uint32_t, uint32_t>, TimePoint> rails_down_;  // by host and rail
  std::map<std::string, Listener> listeners_;
  std::vector<std::weak_ptr<Wire>> wires_;
};

}  // namespace baton::sim

#endif  // BATON_TESTS_SIMULATION_NETWORK_H_

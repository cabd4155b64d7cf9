// The control streams of one simulated agent: the agents' own session and peer cores over simulated
// connections, with the rules of transfer_agent/control/link*.cc and links_accept.cc for who may
// join. (Those files lock and run on threads; what they decide stands here a second time.)
#ifndef BATON_TESTS_SIMULATION_CONTROL_LINKS_H_
#define BATON_TESTS_SIMULATION_CONTROL_LINKS_H_

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "baton/v1/control.pb.h"
#include "client/rpc/backoff.h"
#include "tests/simulation/network.h"
#include "transfer_agent/control/frame_bytes.h"
#include "transfer_agent/control/hello.h"
#include "transfer_agent/control/peer_core.h"
#include "transfer_agent/control/peer_links.h"

namespace baton::sim {

using control::PeerId;
using control::Priority;

class ControlLinks {
 public:
  ControlLinks(Network* network, ProcessPtr process, std::string address, Epoch epoch,
               control::PeerEvents* events);

  void Dial(const std::string& address);
  absl::Status Send(PeerId peer, Priority priority, v1::Frame frame);
  void SetAnnounced(v1::Announce announce);
  // Says goodbye to all; no new links from now on.
  void Leave(const std::string& why);
  size_t unacked_bytes() const;
  bool any_up() const;
  // Never dialled, or dialled and up with this start of it.
  bool Settled(const std::string& address, Epoch epoch) const;

 private:
  struct Packet;
  struct Stream {
    WirePtr wire;
    int end = 0;
    uint64_t connection = 0;
    bool greeted = false;        // the other end said Hello
    std::deque<Payload> unread;  // nothing is read before the peer is up
    TimePoint retry_at;
    std::optional<Backoff> backoff;
  };
  struct Link {
    explicit Link(const control::PeerCoreOptions& options) : core(options) {}
    control::PeerInfo peer;
    uint64_t number = 0;
    control::PeerCore core;
    std::array<Stream, 2> streams;
  };
  using LinkPtr = std::shared_ptr<Link>;
  struct Target {
    LinkPtr link;
    TimePoint retry_at;
    Backoff backoff;
  };

  LinkPtr NewLink(control::PeerInfo peer, uint64_t number);
  void OnAccepted(const WirePtr& wire);
  absl::Status Greet(const WirePtr& wire, const v1::Frame& frame, LinkPtr* joined, Priority* which);
  absl::StatusOr<LinkPtr> FindAccepted(const control::Hello& hello);
  absl::Status Adopt(const LinkPtr& link, const WirePtr& wire, const control::Hello& hello);
  void DialStream(const LinkPtr& link, Priority priority);
  void SayHello(const LinkPtr& link, Priority priority);
  void Up(const LinkPtr& link);
  void OnPacket(const LinkPtr& link, Priority priority, const Wire* wire, const Payload& payload);
  absl::Status OnHello(const LinkPtr& link, Priority priority, const v1::Frame& frame);
  void OnWireClosed(const LinkPtr& link, Priority priority, const Wire* wire,
                    const absl::Status& why);
  void Drop(const LinkPtr& link, Priority priority, const absl::Status& why);
  void End(const LinkPtr& link, const absl::Status& cause);
  void OnLinkDown(const LinkPtr& link);
  void Pump(const LinkPtr& link, Priority priority);
  void PumpAll(const LinkPtr& link);
  TimePoint Tick(const LinkPtr& link);
  void TickAll();
  void WakeBy(TimePoint when);

  Network* const network_;
  const ProcessPtr process_;
  const std::string address_;
  const Epoch epoch_;
  control::PeerEvents* const events_;
  control::Body announce_;
  bool leaving_ = false;
  uint64_t last_peer_ = 0;
  uint64_t last_number_ = 0;
  TimePoint wake_at_ = TimePoint::max();
  std::map<PeerId, LinkPtr> links_;
  std::map<std::string, LinkPtr> accepted_;
  std::map<std::string, Target> targets_;
};

}  // namespace baton::sim

#endif  // BATON_TESTS_SIMULATION_CONTROL_LINKS_H_

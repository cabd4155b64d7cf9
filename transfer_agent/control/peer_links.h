// Control streams to the agents of other pods: two a peer, urgent and bulk.
//
// Frames are numbered, acknowledged and replayed after a reconnect; each is delivered once and in
// order on its stream, or the peer is reported down. A peer is one start (epoch) of one agent.
//
//   PeerLinks links(options, &events);
//   links.Start();
//   PeerId peer = links.Dial("10.0.0.7:7100");        // target side; accepted peers appear by
//   event links.Send(peer, Priority::kBulk, std::move(frame));
//
// Thread-safe. Events come from gRPC threads, one at a time for each stream, and must not block.
#ifndef BATON_TRANSFER_AGENT_CONTROL_PEER_LINKS_H_
#define BATON_TRANSFER_AGENT_CONTROL_PEER_LINKS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "baton/v1/control.pb.h"
#include "common/clock.h"
#include "common/ids.h"
#include "transfer_agent/control/priority.h"
#include "transfer_agent/transport/transport.h"

namespace grpc {
class Service;
}  // namespace grpc

namespace baton::control {

using transport::PeerId;

struct PeerInfo {
  PeerId id;
  std::string address;
  Epoch epoch;
  uint32_t planner_version = 0;  // highest both know
  // True: this agent dialled, as the target's side does. Two agents that dial each other have a
  // link, and a PeerId, for each direction.
  bool dialled = false;
};

class PeerEvents {
 public:
  virtual ~PeerEvents() = default;
  // Both streams are up for the first time. The peer's Announce follows as its first bulk frame.
  virtual void OnPeerUp(const PeerInfo& peer) = 0;
  // The peer left as planned, restarted (another epoch answers), stayed silent beyond the timeout,
  // broke the protocol, or was undialled. Last event of this PeerId. Not called at Stop.
  virtual void OnPeerDown(PeerId peer, const absl::Status& cause) = 0;
  // A dialled address has not answered yet: for messages in words. Repeated, rate-limited.
  virtual void OnDialFailed(const std::string& address, const absl::Status& cause) = 0;
  virtual void OnFrame(PeerId peer, Priority priority, v1::Frame frame) = 0;
  // A field of the frame is out of bounds, which `cause` names. Nothing in it may be believed; what
  // it names can be told at most that it has failed.
  virtual void OnBadFrame(PeerId peer, const v1::Frame& frame, const absl::Status& cause) = 0;
};

struct PeerLinksOptions {
  std::string listen_address = "127.0.0.1:0";
  // What peers dial; empty: the bound address.
  std::string advertised_address;
  Epoch epoch;
  std::chrono::milliseconds heartbeat{500};
  // Silence after which a peer is down.
  std::chrono::milliseconds silence{3000};
  // All links are looked at this often, should nothing else be due.
  std::chrono::milliseconds idle{1000};
  // Unacknowledged bytes a stream may hold; beyond, Send says FULL.
  size_t unacked_bytes_max = 64 << 20;
  size_t frame_bytes_max = 8 << 20;
  // Accepted links; one more is refused.
  size_t peers_max = 4096;
  // A router asks for a room's end (AgentPeer.AbortLeg). From gRPC's threads; must not block. Null:
  // the call is answered and does nothing.
  std::function<void(const RoomKey& room, const std::string& why)> abort_leg = nullptr;
  // Served on the same port; borrowed until Stop, may be null.
  grpc::Service* beside = nullptr;
};

struct PeerLinkStatus {
  PeerInfo peer;
  bool up = false;
  size_t unacked_bytes = 0;
};

class PeerLinks {
 public:
  virtual ~PeerLinks() = default;

  // Listens; SYSTEM or CONFIG when the address cannot be bound (port in use: names the flag).
  virtual absl::Status Start() = 0;
  // host:port that peers dial, with the bound port.
  virtual std::string address() const = 0;

  // Keeps a link to the agent at `address` until Undial; idempotent. Frames sent to the peer need
  // its id from OnPeerUp.
  virtual void Dial(const std::string& address) = 0;
  virtual void Undial(const std::string& address) = 0;

  // Queues a frame. FULL when the stream holds unacked_bytes_max, PEER_LOST when the peer is down.
  virtual absl::Status Send(PeerId peer, Priority priority, v1::Frame frame) = 0;

  // The ranks this agent hosts: the first bulk frame to every peer, and again to all at each
  // change.
  virtual void SetAnnounced(v1::Announce announce) = 0;

  // Says goodbye to every peer, so that none waits for this agent's silence, and takes no new ones.
  // Returns when all have ended their links, or after `patience`. No OnPeerDown from then on.
  virtual void Leave(absl::string_view why, std::chrono::milliseconds patience) = 0;

  virtual std::vector<PeerLinkStatus> Status() const = 0;
  // OK, or why no peer can connect just now; `stuck` when that will not pass.
  virtual absl::Status Listening(bool* stuck) const = 0;
  // Ends all streams; no event after it returns.
  virtual void Stop() = 0;
};

std::unique_ptr<PeerLinks> MakePeerLinks(PeerLinksOptions options, PeerEvents* events);

}  // namespace baton::control

#endif  // BATON_TRANSFER_AGENT_CONTROL_PEER_LINKS_H_

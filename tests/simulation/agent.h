// One start of one simulated agent: the shipped worker, registrar, directory and room calls joined
// as transfer_agent/app/agent.cc joins them, over simulated streams, data and calls.
#ifndef BATON_TESTS_SIMULATION_AGENT_H_
#define BATON_TESTS_SIMULATION_AGENT_H_

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "client/bootstrap/directory_core.h"
#include "client/bootstrap/registrar_core.h"
#include "client/bootstrap/room_calls.h"
#include "tests/simulation/attachment.h"
#include "tests/simulation/bootstrap.h"
#include "tests/simulation/control_links.h"
#include "tests/simulation/sim_transport.h"
#include "transfer_agent/worker/worker_core.h"

namespace baton::sim {

class Agent final : public worker::Outbox, private control::PeerEvents, private RegistrarEvents {
 public:
  Agent(Network* network, Bootstrap* bootstrap, uint32_t host, const PathTraits& path);

  // What an attaching engine brings.
  struct Guest {
    RankRef rank;
    Role role = Role::kPrefill;
    std::string launch_id;
    std::shared_ptr<Pool> pool;
    std::shared_ptr<Attachment> shared;
    // The attachment has ended on the agent's side though the engine lives.
    Action ended;
  };
  absl::StatusOr<attach::AttachmentId> Attach(const Guest& guest);
  // The engine's end of the attach socket went.
  void EngineLeft(attach::AttachmentId id);
  // The doorbell.
  void Wake();
  void BeginDrain();
  // The end of the drain: engines are let go, then peers are told.
  void Leave();
  bool HasLeft() const { return left_; }
  // It says goodbye now.
  void SetOnLeft(Action on_left) { on_left_ = std::move(on_left); }
  // It takes the agent of that epoch for gone.
  void SetOnPeerDown(std::function<void(Epoch)> down) { on_peer_down_ = std::move(down); }
  bool HasLinks() const { return links_.any_up(); }

  const ProcessPtr& process() const { return process_; }
  Epoch epoch() const { return epoch_; }
  TimePoint started() const { return started_; }
  bool draining() const { return draining_; }
  worker::WorkerCore& core() { return *core_; }
  SimTransport& transport() { return transport_; }
  const DirectoryCore& directory() const { return directory_; }
  void SetComplain(std::function<void(const std::string&)> complain) {
    complain_ = std::move(complain);
  }
  bool HasPeer(Epoch epoch) const;
  // Has the prefill rank's present start, and a link to its agent's, or has never dialled that.
  bool Knows(const RankRef& source, const Agent& at) const;
  static constexpr char kControlPort[] = ":1";
  static std::string AddressOf(uint32_t host);

 private:
  using Task = std::function<void()>;

  void Poll();
  void PostUrgent(Task task);
  void PostBulk(Task task);
  void WakeAt(TimePoint when);

  // worker::Outbox
  absl::Status Send(PeerId peer, Priority priority, v1::Frame frame) override;
  void Dial(const std::string& address) override;
  void LookupRoom(uint32_t worker, uint64_t token, const std::string& server, const RoomKey& room,
                  std::chrono::milliseconds wait) override;
  void RoomOver(const std::string& server, const RoomKey& room) override;
  void BindRoom(const std::string& server, const RoomKey& room, uint32_t dp,
                std::chrono::milliseconds ttl) override;
  void Detach(attach::AttachmentId id) override;
  // control::PeerEvents
  void OnPeerUp(const control::PeerInfo& peer) override;
  void OnPeerDown(PeerId peer, const absl::Status& cause) override;
  void OnDialFailed(const std::string&, const absl::Status&) override {}
  void OnFrame(PeerId peer, Priority priority, v1::Frame frame) override;
  void OnBadFrame(PeerId peer, const v1::Frame& frame, const absl::Status& cause) override;
  void OnAnnounce(PeerId peer, const v1::Announce& announce);
  // RegistrarEvents
  void OnRegistered(const RankRef& rank, Incarnation incarnation) override;
  void OnRegistrationFailing(const RankRef& rank, const absl::Status& cause, bool decides) override;
  void OnLeaseLost(const RankRef& rank) override;
  // The registry's calls and watch: agent_registry.cc.
  void StepRegistrar();
  void SendKeepAlive(v1::KeepAliveRequest request);
  void OnKeepAlive(uint64_t n, const v1::KeepAliveResponse& answer);
  void EndKeepAlives();
  void Follow(const v1::RoomBinding& room);
  void StepRooms();
  void GiveBack(std::optional<uint64_t> lease);
  void BeginWatch();
  void OnWatch(const Payload& payload);
  void OnServer(const v1::ServerRecord& server);

  Network* const network_;
  World& world_;
  Bootstrap* const bootstrap_;
  const ProcessPtr process_;
  const Epoch epoch_;
  const TimePoint started_ = world_.now();
  SimTransport transport_;
  std::unique_ptr<worker::WorkerCore> core_;
  ControlLinks links_;
  RegistrarCore registrar_;
  DirectoryCore directory_;
  RoomCalls rooms_;
  Backoff watch_backoff_;
  WirePtr watch_;
  TimePoint registrar_at_ = TimePoint::max();
  TimePoint rooms_at_ = TimePoint::max();
  uint64_t stream_ = 0;
  // Of that stream: how many were sent, how many the registrar has heard, what came before its
  // turn.
  uint64_t keep_alives_sent_ = 0;
  uint64_t keep_alives_heard_ = 0;
  std::map<uint64_t, v1::KeepAliveResponse> early_answers_;
  google::protobuf::RepeatedField<uint64_t> listed_;  // leases of the stream's latest list

  struct Hosted {
    RankRef rank;
    Action ended;
  };
  std::map<attach::AttachmentId, Hosted> hosted_;
  std::map<PeerId, control::PeerInfo> peers_;
  std::deque<Task> urgent_;
  std::deque<Task> bulk_;
  bool poll_due_ = false;
  uint64_t last_attachment_ = 0;
  bool draining_ = false;
  bool left_ = false;
  std::function<void(const std::string&)> complain_;
  Action on_left_;
  std::function<void(Epoch)> on_peer_down_;
  TimePoint wake_at_ = TimePoint::max();
};

}  // namespace baton::sim

#endif  // BATON_TESTS_SIMULATION_AGENT_H_

// The agent: joins attach socket, workers, control streams and registry. Every event is handed to
// the worker that it concerns; nothing here decides anything about a room.
#ifndef BATON_TRANSFER_AGENT_APP_AGENT_H_
#define BATON_TRANSFER_AGENT_APP_AGENT_H_

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "admin/health.h"
#include "client/bootstrap/directory.h"
#include "client/bootstrap/registrar.h"
#include "common/metrics/counters.h"
#include "common/metrics/scrape.h"
#include "common/mutex.h"
#include "transfer_agent/app/load_board.h"
#include "transfer_agent/app/options.h"
#include "transfer_agent/app/port_scrape.h"
#include "transfer_agent/attach/attach_server.h"
#include "transfer_agent/control/peer_links.h"
#include "transfer_agent/worker/worker.h"

namespace baton::agent {

// Thread-safe after Start.
class Agent final : private attach::AttachEvents,
                    private control::PeerEvents,
                    private RegistrarEvents,
                    private DirectoryEvents,
                    public worker::Outbox {
 public:
  // Errors name the flag or path that stood in the way. `beside` is served on the port of the
  // control streams; borrowed until Stop, may be null.
  static absl::StatusOr<std::unique_ptr<Agent>> Start(const Options& options,
                                                      grpc::Service* beside = nullptr);
  ~Agent() override;

  // host:port of the control streams.
  std::string address() const { return links_->address(); }
  Epoch epoch() const { return epoch_; }
  std::vector<std::unique_ptr<worker::Worker>>& workers() { return workers_; }
  // What moves pages here, and what was tried and does not.
  const std::vector<v1::TransportStatus>& transports() const { return transports_; }
  std::vector<control::PeerLinkStatus> Peers() const { return links_->Status(); }

  // Started: all of Start is done. Ready: not draining, the list of servers is here, and every rank
  // that is attached takes new rooms.
  admin::Health Health() const;
  // What a person should know although it stops nothing: a line each.
  std::vector<std::string> Warnings() const;
  // For /metrics.
  std::string Metrics() const;
  // How long each stage of a room took, over all workers.
  std::array<metrics::HistogramValues, worker::kStages> Stages() const;

  const Options& options() const { return options_; }
  // Of the checks at start: what was not well.
  const std::vector<v1::CheckFinding>& findings() const { return findings_; }

  // No new rooms from now on, running ones may end. Idempotent.
  void BeginDrain();
  bool draining();
  // Those that an end of this agent would cut short.
  uint32_t RoomsUnderWay();
  // Tells the registry how busy this agent is: what the workers said since the last call. Called
  // about twice a second, by one thread.
  void ReportLoad();
  // Ends everything. Idempotent.
  void Stop();

 private:
  using PeerId = transport::PeerId;
  using AttachmentId = attach::AttachmentId;
  struct Hosted {
    RankRef rank;
    uint32_t worker = 0;
    // Why it takes no new rooms; empty when it does.
    std::string waits_for = "its registration";
    // The latest cause in the log of why it cannot register.
    absl::Status said;
    TimePoint said_at;
  };

  explicit Agent(const Options& options);
  absl::Status Build(grpc::Service* beside);
  absl::Status BuildWorker(uint32_t index);
  void CheckHost();
  void PostAll(worker::Lane lane, const std::function<void(worker::WorkerCore&, TimePoint)>& task);
  void PostRank(const RankRef& rank, worker::Worker::Task task);
  bool IsReleasing(const RankRef& rank);
  uint32_t PickWorker() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void SetAnnounced(uint32_t worker, std::vector<v1::RankAnnouncement> ranks);

  // attach::AttachEvents
  absl::Status OnAttach(std::unique_ptr<attach::AttachedRank> rank) override;
  void OnDetach(AttachmentId id) override;
  // control::PeerEvents
  void OnPeerUp(const control::PeerInfo& peer) override;
  void OnPeerDown(PeerId peer, const absl::Status& cause) override;
  void OnDialFailed(const std::string& address, const absl::Status& cause) override;
  void OnFrame(PeerId peer, control::Priority priority, v1::Frame frame) override;
  void OnBadFrame(PeerId peer, const v1::Frame& frame, const absl::Status& cause) override;
  void Refuse(PeerId peer, const v1::OfferId& offer, const absl::Status& cause);
  void OnAnnounce(PeerId peer, const v1::Announce& announce);
  void AddRegistryMetrics(metrics::Scrape* scrape) const;
  void SetWaitsFor(const RankRef& rank, const std::string& what);
  bool IsNews(const RankRef& rank, const absl::Status& cause);
  void NoteUnheard(const std::string& why);
  void NoteHeard();
  // RegistrarEvents
  void OnRegistered(const RankRef& rank, Incarnation incarnation) override;
  void OnRegistrationFailing(const RankRef& rank, const absl::Status& cause, bool decides) override;
  void OnLeaseLost(const RankRef& rank) override;
  // DirectoryEvents
  void OnServer(const std::shared_ptr<const v1::ServerRecord>& server) override;
  void OnServerRemoved(const std::string& name) override;
  // worker::Outbox
  absl::Status Send(PeerId peer, control::Priority priority, v1::Frame frame) override;
  void Dial(const std::string& address) override;
  void LookupRoom(uint32_t worker, uint64_t token, const std::string& server, const RoomKey& room,
                  std::chrono::milliseconds wait) override;
  void BindRoom(const std::string& server, const RoomKey& room, uint32_t dp,
                std::chrono::milliseconds ttl) override;
  void RoomOver(const std::string& server, const RoomKey& room) override;
  void Detach(AttachmentId id) override;

  const Options options_;
  const Epoch epoch_;
  const std::string host_key_;
  const std::shared_ptr<LoadBoard> load_board_;  // shared with tasks of workers
  std::vector<std::unique_ptr<worker::Worker>> workers_;
  std::vector<v1::TransportStatus> transports_;  // set before Start returns
  PortMetricsList ports_;                        // the same
  std::vector<v1::CheckFinding> findings_;       // as well
  std::unique_ptr<control::PeerLinks> links_;
  std::unique_ptr<Registrar> registrar_;
  std::unique_ptr<Directory> directory_;
  std::unique_ptr<attach::AttachServer> attach_;

  mutable Mutex mu_;
  absl::flat_hash_map<AttachmentId, Hosted> hosted_ ABSL_GUARDED_BY(mu_);
  std::map<RankRef, AttachmentId> by_rank_ ABSL_GUARDED_BY(mu_);
  std::vector<uint32_t> ranks_of_worker_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<PeerId, control::PeerInfo> peers_ ABSL_GUARDED_BY(mu_);
  bool draining_ ABSL_GUARDED_BY(mu_) = false;
  bool stopped_ = false;

  std::array<metrics::SharedCount, worker::kReasonCount> registration_failures_;
  metrics::SharedCount lease_losses_;
  // Why the bootstrap service is not heard; empty while it is.
  std::string unheard_ ABSL_GUARDED_BY(mu_);
  TimePoint unheard_since_ ABSL_GUARDED_BY(mu_);

  // Held while the links are told, so of its own: their events take mu_.
  Mutex announce_mu_;
  std::vector<std::vector<v1::RankAnnouncement>> announced_ ABSL_GUARDED_BY(announce_mu_);
};

}  // namespace baton::agent

#endif  // BATON_TRANSFER_AGENT_APP_AGENT_H_

// PeerLinks over any maker of wires: which links there are, who may join, and the thread that keeps
// time for them.
#ifndef BATON_TRANSFER_AGENT_CONTROL_LINKS_H_
#define BATON_TRANSFER_AGENT_CONTROL_LINKS_H_

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "common/mutex.h"
#include "transfer_agent/control/backoff.h"
#include "transfer_agent/control/link.h"
#include "transfer_agent/control/peer_links.h"
#include "transfer_agent/control/stream_end.h"

namespace baton::control {

// Order of locks: announce_mu_ and a link's events, mu_, a link's state, alarm_mu_.
class Links : public PeerLinks, public LinkHost, public Greeter {
 public:
  // `events` is borrowed until Stop has returned.
  Links(PeerLinksOptions options, PeerEvents* events, std::unique_ptr<Wires> wires);
  ~Links() override;

  absl::Status Start() override;
  std::string address() const override;
  void Dial(const std::string& address) override;
  void Undial(const std::string& address) override;
  absl::Status Send(PeerId peer, Priority priority, v1::Frame frame) override;
  void SetAnnounced(v1::Announce announce) override;
  void Leave(absl::string_view why, std::chrono::milliseconds patience) override;
  std::vector<PeerLinkStatus> Status() const override;
  absl::Status Listening(bool* stuck) const override { return wires_->Listening(stuck); }
  void Stop() override;

  std::shared_ptr<Wire> DialWire(const std::string& address,
                                 std::shared_ptr<StreamEnd> end) override;
  std::string self_address() const override { return address(); }
  Epoch self_epoch() const override { return options_.epoch; }
  bool ReportDue(const std::string& address) override;
  void OnLinkDown(const std::shared_ptr<Link>& link) override;
  void Retire(std::shared_ptr<Wire> wire) override;
  void WakeBy(TimePoint when) override;

  void Greet(const std::shared_ptr<StreamEnd>& end, absl::StatusOr<v1::Frame> frame) override;
  void OnUngreetedClosed(StreamEnd* end) override;

 private:
  // An address to keep a link to.
  struct Target {
    std::shared_ptr<Link> link;  // null: a new one is due at retry_at
    TimePoint retry_at;
    Backoff backoff;
    TimePoint report_after;
  };
  // A wire that is to be gone, or to say Hello, by a time.
  struct Doomed {
    std::weak_ptr<Wire> wire;
    TimePoint when;
  };

  std::shared_ptr<WireEvents> AcceptWire(std::shared_ptr<Wire> wire);
  // The link that the Hello belongs to, and the one it replaces.
  absl::StatusOr<std::shared_ptr<Link>> FindAccepted(const Hello& hello,
                                                     std::shared_ptr<Link>* replaced);
  std::shared_ptr<Link> NewLink(PeerInfo peer, uint64_t number) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  std::vector<std::shared_ptr<Link>> AllLinks() const;
  void Run();
  TimePoint Tick(TimePoint now);
  TimePoint StartDueLinks(TimePoint now);
  TimePoint AbortDoomed(TimePoint now);
  TimePoint AbortUngreeted(TimePoint now);
  void EndUndialled();

  const PeerLinksOptions options_;
  const PeerCoreOptions core_options_;
  PeerEvents* const events_;
  const std::unique_ptr<Wires> wires_;

  // Serialises announcements, so that no link has an older one after a newer one.
  Mutex announce_mu_;

  mutable Mutex mu_;
  Body announce_ ABSL_GUARDED_BY(mu_);
  uint64_t last_peer_id_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t last_link_number_ ABSL_GUARDED_BY(mu_) = 0;
  bool leaving_ ABSL_GUARDED_BY(mu_) = false;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  CondVar ended_;  // one link fewer
  absl::flat_hash_map<PeerId, std::shared_ptr<Link>> links_ ABSL_GUARDED_BY(mu_);
  // By the address that the dialler says it has.
  absl::flat_hash_map<std::string, std::shared_ptr<Link>> accepted_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<std::string, Target> targets_ ABSL_GUARDED_BY(mu_);
  std::vector<std::shared_ptr<Link>> undialled_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<StreamEnd*, Doomed> ungreeted_ ABSL_GUARDED_BY(mu_);

  // Of the thread that keeps time, and what is asked for under a link's lock.
  mutable Mutex alarm_mu_;
  std::string address_ ABSL_GUARDED_BY(alarm_mu_);
  CondVar alarm_;
  TimePoint wake_at_ ABSL_GUARDED_BY(alarm_mu_);
  bool stop_ ABSL_GUARDED_BY(alarm_mu_) = false;
  std::vector<Doomed> doomed_ ABSL_GUARDED_BY(alarm_mu_);
  std::thread thread_;
};

}  // namespace baton::control

#endif  // BATON_TRANSFER_AGENT_CONTROL_LINKS_H_

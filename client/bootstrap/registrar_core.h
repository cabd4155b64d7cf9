// What the registrar decides, without threads, clock or gRPC: which calls to make when, and what
// their answers mean. registrar.cc makes the calls.
//
// A launch (server, launch id) asks for its incarnation once for all its ranks here; each rank then
// asks for its slot; one keep-alive renews all leases. What the service forgot is asked for again
// with the incarnation that is known: the launch keeps it for ever. Thread-compatible.
#ifndef BATON_CLIENT_BOOTSTRAP_REGISTRAR_CORE_H_
#define BATON_CLIENT_BOOTSTRAP_REGISTRAR_CORE_H_

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "baton/v1/registry.pb.h"
#include "client/bootstrap/registrar.h"
#include "client/bootstrap/registration_states.h"
#include "client/rpc/backoff.h"
#include "common/clock.h"

namespace baton {

class RegistrarCore {
 public:
  // Names a rank registered here; never used again after Remove.
  using Ticket = uint64_t;
  using LaunchKey = std::pair<std::string, std::string>;  // server, launch id

  struct Calls {
    std::vector<std::pair<LaunchKey, v1::RegisterServerRequest>> servers;
    std::vector<std::pair<Ticket, v1::RegisterRankRequest>> ranks;
    // The answer to the oldest one is overdue: begin a new stream.
    bool reset_stream = false;
    std::optional<v1::KeepAliveRequest> keep_alive;
  };

  // `events` outlives this.
  RegistrarCore(RegistrarOptions options, RegistrarEvents* events, uint64_t seed);

  // A rank that is there already is replaced; its lease is not given back: the new registration
  // finds it or replaces it.
  void Add(RankRegistration rank, TimePoint now);
  // The lease to give back, if there is one.
  std::optional<uint64_t> Remove(const RankRef& rank);
  void SetLoad(const AgentLoad& load) { load_ = load; }

  // Calls that are due; each is answered by one On... below, keep-alives in their order.
  Calls Step(TimePoint now);
  void OnServer(const LaunchKey& key, const absl::StatusOr<v1::RegisterServerResponse>& answer,
                TimePoint now);
  // The lease to give back when the rank was removed in the meantime.
  std::optional<uint64_t> OnRank(Ticket ticket,
                                 const absl::StatusOr<v1::RegisterRankResponse>& answer,
                                 TimePoint now);
  void OnKeepAlive(const v1::KeepAliveResponse& answer, TimePoint now);
  // The stream has ended, an outstanding keep-alive with it.
  void OnStreamEnd(TimePoint now);

  // When Step has something to do, at the latest.
  TimePoint next(TimePoint now) const;
  std::vector<uint64_t> leases() const;

 private:
  struct Launch {
    v1::RegisterServerRequest request;
    std::optional<Incarnation> incarnation;
    bool asking = false;
    TimePoint next_attempt;
    Backoff backoff;
    uint32_t ranks = 0;
  };
  struct Rank {
    RankRef ref;
    LaunchKey launch;
    v1::RegisterRankRequest request;
    RegistrationMachine phase = NewRegistrationMachine();
    uint64_t lease = 0;
    TimePoint lease_ends;   // by this side's clock, from when the latest answer came
    bool lost = false;      // OnLeaseLost was said
    bool answered = false;  // the service has said something about it, yes or no
    TimePoint next_attempt;
    Backoff backoff;
  };

  Launch& LaunchOf(const RankRegistration& rank, TimePoint now);
  Duration DelayAfter(const absl::Status& cause, Backoff* backoff) const;
  Duration Period() const { return lease_ / 3; }
  // With a lease of a second and the slowest service 36 keep-alives are under way.
  bool full() const { return unanswered_.size() >= 64; }
  void StepKeepAlive(TimePoint now, Calls* calls);
  void NoteLost(TimePoint now);
  void NoteFailing(Rank* rank, const absl::Status& cause);
  void Confirm(Rank* rank, TimePoint now);

  const RegistrarOptions options_;
  RegistrarEvents* const events_;
  uint64_t seed_;
  Ticket next_ticket_ = 1;
  std::map<LaunchKey, Launch> launches_;
  std::map<Ticket, Rank> ranks_;
  uint32_t asking_ = 0;
  AgentLoad load_;
  Duration lease_ = std::chrono::seconds(3);

  // The keep-alive stream. Requests do not wait for answers: of a slow service several are under
  // way, and leases that live shorter than its answers take are renewed in time all the same.
  struct Sent {
    TimePoint at;
    std::vector<uint64_t> leases;
  };
  Backoff stream_backoff_;
  TimePoint next_keep_alive_;
  bool list_changed_ = false;
  std::deque<Sent> unanswered_;   // oldest first, as the answers come
  std::vector<uint64_t> listed_;  // leases of the latest list sent
};

}  // namespace baton

#endif  // BATON_CLIENT_BOOTSTRAP_REGISTRAR_CORE_H_

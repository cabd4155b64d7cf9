// Keeps an agent's ranks registered with the bootstrap service, for ever: RegisterServer and
// RegisterRank with capped, jittered backoff, one KeepAlive stream on a thread of its own, again
// from the start after the service lost its memory.
//
// Thread-safe. Events come from the registrar's thread and must not block.
#ifndef BATON_CLIENT_BOOTSTRAP_REGISTRAR_H_
#define BATON_CLIENT_BOOTSTRAP_REGISTRAR_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/ids.h"
#include "planner/layout.h"

namespace baton {

struct RankRegistration {
  RankRef rank;
  Role role = Role::kPrefill;
  std::string launch_id;
  std::string model;
  planner::ServerSpec spec;
  std::map<std::string, std::string> labels;
  std::vector<std::string> aliases = {};  // other names of the server
};

class RegistrarEvents {
 public:
  virtual ~RegistrarEvents() = default;
  virtual void OnRegistered(const RankRef& rank, Incarnation incarnation) = 0;
  // Refused or unreachable; retried unless the reason is STALE_INCARNATION or SPEC_MISMATCH.
  // `decides`: the rank takes no new rooms until OnRegistered comes (again). A service that does
  // not answer decides nothing about a rank that it has answered about before.
  virtual void OnRegistrationFailing(const RankRef& rank, const absl::Status& cause,
                                     bool decides) = 0;
  // Nothing was heard of the service for a whole lease time. It may be dead, or alive and cut off
  // from here: it decides nothing by its silence, and the rank goes on. OnRegistered comes when it
  // is heard again.
  virtual void OnLeaseLost(const RankRef& rank) = 0;
};

struct RegistrarOptions {
  std::string bootstrap_address;
  std::string agent_address;
  Epoch epoch;
  // Twice the slowest service that is still served (5 s): a first call pays for the connection,
  // too.
  std::chrono::milliseconds rpc_deadline{12000};
  std::chrono::milliseconds backoff_max{5000};
};

struct AgentLoad {
  uint32_t rooms = 0;
  uint64_t bytes_per_second = 0;
  bool healthy = true;
};

class Registrar {
 public:
  virtual ~Registrar() = default;
  virtual void Add(RankRegistration rank) = 0;
  // Gives the lease back.
  virtual void Remove(const RankRef& rank) = 0;
  virtual void SetLoad(const AgentLoad& load) = 0;
  // Deregisters everything, waits at most `grace`; no event after it returns.
  virtual void Stop(std::chrono::milliseconds grace) = 0;
};

std::unique_ptr<Registrar> MakeRegistrar(RegistrarOptions options, RegistrarEvents* events);

}  // namespace baton

#endif  // BATON_CLIENT_BOOTSTRAP_REGISTRAR_H_

// Everything that one run of the demo needs, as real processes: a bootstrap service, the agents of
// two prefill pods and of a decode pod, and the engines beside them.
#ifndef BATON_TESTS_DEMO_RUNNER_CLUSTER_H_
#define BATON_TESTS_DEMO_RUNNER_CLUSTER_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/unique_fd.h"
#include "demo/v1/demo.pb.h"
#include "tests/demo/model/topology.h"
#include "tests/demo/router/router.h"
#include "tests/demo/runner/child.h"
#include "tests/demo/runner/workplace.h"

namespace baton::demo {

struct ServerPlan {
  std::string name;
  v1::Role role = v1::ROLE_UNSPECIFIED;
  std::string topology;
  std::vector<RankCoord> ranks;
};

struct ClusterOptions {
  Programs programs;
  std::string folder;  // for sockets and logs: a short path
  std::string bootstrap_listen = "127.0.0.1:0";
  std::string host = "127.0.0.1";  // where agents listen
  std::string prefill_on;          // a demo_host that runs the prefill server; empty: here
  std::string decode_on;           // the same of the decode server
  std::string bootstrap;           // a service that runs already; empty: one is started
  // Agents run already, one beside each demo_host, and take engines here. Empty: they are started.
  std::string attach_socket;
  std::string transport = "auto";
  uint32_t silence_ms = 3000;  // after which an agent counts another as lost
  bool checksums = false;
  std::string preset;
  std::vector<ServerPlan> servers;
  uint64_t pool_tokens = 0;
  uint32_t rooms_max = 64;
  uint64_t seed = 0;
  std::chrono::milliseconds start_timeout{30000};
};

// What the agents of this host counted.
struct AgentTotals {
  uint64_t bytes_landed = 0;
  uint64_t bytes_copied = 0;
  std::vector<std::string> transports;  // of the channels, each once
};

// Thread-compatible; used from the main thread.
class Cluster {
 public:
  // Ready to take rooms. Errors hold the end of the log of what failed.
  static absl::StatusOr<std::unique_ptr<Cluster>> Start(ClusterOptions options);
  // Ends everything.
  ~Cluster();

  std::vector<EngineLink> Links() const;
  // An error when a process has ended: which, how, and the end of its log.
  absl::Status Check();
  absl::StatusOr<AgentTotals> Totals();
  // The end of each agent's log.
  std::string AgentLogs() const;
  uint64_t pool_bytes() const { return pool_bytes_; }
  const std::string& bootstrap_address() const { return bootstrap_address_; }

 private:
  struct Agent {
    Child* process = nullptr;  // in processes_
    const ServerPlan* server = nullptr;
    std::vector<RankCoord> ranks;
    std::string attach_socket;
    std::string service_socket;
    bool here = true;  // started by us on this host
  };
  struct Engine {
    EngineLink link;
    UniqueFd socket;
  };

  explicit Cluster(ClusterOptions options);
  absl::Status StartAll();
  absl::Status StartBootstrap();
  absl::Status StartAgents(const ServerPlan& server);
  absl::Status StartEngines(const Agent& agent);
  absl::Status StartEngine(const Agent& agent, std::vector<RankCoord> ranks);
  absl::StatusOr<Child*> Run(const std::string& name, std::vector<std::string> argv,
                             int inherited_fd = -1);
  absl::StatusOr<std::string> AwaitFile(const std::string& path);
  absl::Status AwaitAttached();
  absl::Status AwaitRegistered();
  // The demo_host that runs the server; empty: here.
  const std::string& HostOf(const ServerPlan& server) const;
  // `argv`, or what runs it there.
  std::vector<std::string> On(const std::string& host, bool has_control,
                              std::vector<std::string> argv) const;
  std::string Path(const std::string& name) const { return options_.folder + "/" + name; }

  const ClusterOptions options_;
  const std::string launch_id_;
  std::chrono::steady_clock::time_point deadline_;
  // In order of start; ended in the opposite order.
  std::vector<std::unique_ptr<Child>> processes_;
  std::string bootstrap_address_;
  std::vector<Agent> agents_;
  std::vector<Engine> engines_;
  uint64_t pool_bytes_ = 0;
};

}  // namespace baton::demo

#endif  // BATON_TESTS_DEMO_RUNNER_CLUSTER_H_

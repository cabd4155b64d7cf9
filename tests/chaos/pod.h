// One server in one pod: an agent, an engine process with all of its ranks, and a proxy before the
// agent's control port.
#ifndef BATON_TESTS_CHAOS_POD_H_
#define BATON_TESTS_CHAOS_POD_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "common/clock.h"
#include "common/unique_fd.h"
#include "demo/v1/demo.pb.h"
#include "tests/chaos/fault_draw.h"
#include "tests/chaos/party.h"
#include "tests/chaos/place.h"
#include "tests/demo/runner/cluster.h"
#include "tests/support/cut_proxy.h"

namespace baton::chaos {

struct PodOptions {
  demo::Programs programs;
  std::string folder;
  std::string bootstrap;
  std::string transport;
  bool checksums = false;
  uint32_t number = 0;
  bool prefill = false;
  uint64_t seed = 0;
  // Of the server: a name from demo/model/preset.h, and a demo/model/topology.h of two ranks.
  std::string preset;
  std::string topology;
  uint64_t pool_tokens = 8192;
  // Its control port is reached through a proxy, which can cut and slow its links.
  bool proxied = true;
  std::vector<std::string> agent_flags;
  // With a network of its own it has no proxy either: its links are not cut.
  Place place;
};

// Thread-compatible.
class Pod {
 public:
  static constexpr uint32_t kRanks = 2;

  explicit Pod(PodOptions options);

  absl::Status Start();
  // What of it concerns this pod's processes and links.
  void Suffer(const Fault& fault, TimePoint now);
  // Starts and wakes what is due. An error is a violation: something could not be started, or ended
  // by itself.
  absl::Status Heal(TimePoint now);
  // Does not wait for the time that its fault was to last.
  void StartAgentNow() { agent_.ComeBackNow(); }
  void End();

  // An engine that is not running does not hear of it.
  void Open(const demo::v1::OpenRoom& open);
  void Finish();
  // All that the engine has said since. Reports of ranks that attached are taken in here.
  absl::Status TakeReports(absl::FunctionRef<void(const demo::v1::FromEngine&)> take);

  std::string server() const;
  int link() const { return link_.get(); }
  bool engine_ready() const { return engine_.up() && attached_ == kRanks; }
  bool engine_dead() const { return engine_.dead(); }
  bool agent_dead() const { return agent_.dead(); }
  // Since when nothing has befallen it; max: something is amiss now.
  TimePoint well_since() const;
  const Party& agent() const { return agent_; }
  const Party& engine() const { return engine_; }
  std::string service_socket() const { return Path(".service"); }

 private:
  std::string Path(const char* suffix) const;
  absl::StatusOr<std::unique_ptr<demo::Child>> StartAgent();
  absl::StatusOr<std::unique_ptr<demo::Child>> StartEngine();
  absl::Status Configure();

  const PodOptions options_;
  const std::string listen_;
  std::unique_ptr<CutProxy> proxy_;  // null: none
  Party agent_;
  Party engine_;
  UniqueFd link_;
  uint32_t launches_ = 0;
  uint32_t attached_ = 0;
  TimePoint well_since_;
  TimePoint slow_until_;
  bool slow_ = false;
};

// A port of 127.0.0.1 that was free a moment ago, for a process that must come back to it.
std::string FreeAddress();

}  // namespace baton::chaos

#endif  // BATON_TESTS_CHAOS_POD_H_

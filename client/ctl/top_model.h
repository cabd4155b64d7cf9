// What `batonctl top` shows, before it is shown: the list of servers joined with what each agent
// says of its ranks, and the rates between two looks. Pure.
#ifndef BATON_CLIENT_CTL_TOP_MODEL_H_
#define BATON_CLIENT_CTL_TOP_MODEL_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "baton/v1/agent.pb.h"
#include "baton/v1/registry.pb.h"
#include "baton/v1/report.pb.h"

namespace baton::ctl {

// By control address.
using AgentAnswers = std::map<std::string, absl::StatusOr<v1::AgentStatusResponse>>;

// Thread-compatible.
class TopModel {
 public:
  // `unix_ms` of this look. Rates are over the time since the last one; the first has none.
  v1::TopReport Look(const v1::ListServersResponse& servers, const AgentAnswers& agents,
                     uint64_t unix_ms);

 private:
  // What a rank had done at the last look, under one start of its agent.
  struct Seen {
    uint64_t epoch = 0;
    uint64_t bytes = 0;
    uint64_t failed = 0;
  };
  using RankKey = std::pair<std::string, std::string>;  // server, "dp0/pp0/cp0/tp0"

  v1::TopRank RankOf(const v1::ServerRecord& server, const v1::RankRecord& record,
                     const AgentAnswers& agents, uint64_t interval_ms);

  uint64_t last_ms_ = 0;
  std::map<RankKey, Seen> seen_, next_;
};

// A grid of (tp, cp) for each server, dp and pp rank; `wide`: a line for each rank below it.
std::string ShowTop(const v1::TopReport& report, bool wide);

}  // namespace baton::ctl

#endif  // BATON_CLIENT_CTL_TOP_MODEL_H_

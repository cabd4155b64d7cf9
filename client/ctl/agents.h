// Verbs that ask many agents: which there are, and all of them at once.
#ifndef BATON_CLIENT_CTL_AGENTS_H_
#define BATON_CLIENT_CTL_AGENTS_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "baton/v1/registry.pb.h"
#include "client/ctl/services.h"

namespace baton::ctl {

// Control addresses of the agents that host a rank of `servers`: sorted, each once.
std::vector<std::string> AgentsOf(const v1::ListServersResponse& servers);

// Of all servers that the bootstrap service knows. NOT_FOUND/UNKNOWN_SERVER when there is none.
absl::StatusOr<std::vector<std::string>> AllAgents(Services* services);

// fn(i) for every index below `count`, from at most 16 threads at once; returns when all are done.
void InParallel(size_t count, const std::function<void(size_t)>& fn);

}  // namespace baton::ctl

#endif  // BATON_CLIENT_CTL_AGENTS_H_

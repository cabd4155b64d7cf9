// The checks of the host at the agent's start: what is not well is logged, and kept for a dump.
// None of them stops the agent; what cannot work at all fails by itself, with its own words.
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "common/log.h"
#include "transfer_agent/app/agent.h"
#include "transfer_agent/checks/checks.h"

namespace baton::agent {

void Agent::CheckHost() {
  checks::Settings settings;
  settings.transport = options_.transport;
  settings.wishes.devices = absl::StrSplit(options_.verbs_devices, ',', absl::SkipEmpty());
  settings.wishes.rails_max = options_.verbs_rails;
  if (!absl::SimpleAtoi(options_.verbs_gid_index, &settings.wishes.gid_index)) {
    settings.wishes.gid_index = -1;
  }
  settings.attach_socket = options_.attach_socket;
  settings.service_socket = options_.service_socket;
  const std::unique_ptr<checks::Host> host = checks::MakeHost("");
  for (v1::CheckFinding& finding : checks::CheckHost(settings, *host)) {
    if (finding.verdict() == v1::CHECK_VERDICT_OK) continue;
    const bool fails = finding.verdict() == v1::CHECK_VERDICT_FAIL;
    LOG(WARNING) << "check " << finding.check() << (fails ? " fails: " : ": ") << finding.cause()
                 << "; " << finding.cure();
    findings_.push_back(std::move(finding));
  }
}

}  // namespace baton::agent

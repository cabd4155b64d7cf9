// batonctl agent drain
#include <chrono>
#include <thread>

#include "absl/strings/str_cat.h"
#include "client/ctl/commands.h"
#include "common/clock.h"
#include "common/reason.h"

namespace baton::ctl {
namespace {

void AddRows(Options* options, ConfigTable* table) {
  table->Bool("wait", &options->wait,
              "Until no room is open, at most --timeout_ms; exit status 4 when some are left.");
}

absl::Status Run(const Invocation& call) {
  constexpr auto kAskAgain = std::chrono::milliseconds(100);
  const TimePoint until = Monotonic::now() + std::chrono::milliseconds(call.options.timeout_ms);
  auto drained = call.services->DrainAgent();
  while (drained.ok() && call.options.wait && drained->rooms() > 0 && Monotonic::now() < until) {
    std::this_thread::sleep_for(kAskAgain);
    drained = call.services->DrainAgent();
  }
  if (!drained.ok()) return drained.status();
  if (call.options.wait && drained->rooms() > 0) {
    return Error(Reason::kDeadline,
                 absl::StrCat("the agent drains, but ", drained->rooms(),
                              " rooms are open after --timeout_ms=", call.options.timeout_ms,
                              "; batonctl room list shows them"));
  }
  call.printer->Show(
      *drained,
      {{"",
        {{"AGENT", "ROOMS OPEN"}, {{"draining: no new rooms", absl::StrCat(drained->rooms())}}},
        ""}});
  return absl::OkStatus();
}

}  // namespace

const Command kAgentDrain = {
    "agent drain",
    "",
    "Takes this pod's ranks out of the choice for new rooms, for good.",
    R"(The agent gives its leases back, so its servers are not ready any more; rooms that run may
end. The way back is a restart of the agent. It is what the agent does by itself at SIGTERM. To take
a whole server out, and back in, use server drain.

  batonctl agent drain
  batonctl agent drain --wait --timeout_ms=30000)",
    0,
    0,
    AddRows,
    Run,
};

}  // namespace baton::ctl

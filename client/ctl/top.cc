// batonctl top
#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_replace.h"
#include "client/ctl/agents.h"
#include "client/ctl/commands.h"
#include "client/ctl/top_model.h"
#include "common/clock.h"

namespace baton::ctl {
namespace {

void AddRows(Options* options, ConfigTable* table) {
  table->Bool("once", &options->once,
              "One look, of two moments --interval_ms apart; so it is too where the output is no "
              "terminal.");
  table->Number("interval_ms", &options->interval_ms, {1, 60000}, "ms", "Between two looks.");
  table->Number("looks", &options->looks, {0, 1000000}, "looks", "End after so many; 0: never.");
}

absl::StatusOr<v1::TopReport> Look(const Invocation& call, TopModel* model) {
  auto servers = call.services->ListServers({});
  if (!servers.ok()) return servers.status();
  if (!call.arguments.empty()) {
    v1::ListServersResponse named;
    for (const v1::ServerRecord& server : servers->servers()) {
      const auto& wanted = call.arguments;
      if (std::find(wanted.begin(), wanted.end(), server.name()) != wanted.end()) {
        *named.add_servers() = server;
      }
    }
    *servers = std::move(named);
  }
  const std::vector<std::string> agents = AgentsOf(*servers);
  std::vector<absl::StatusOr<v1::AgentStatusResponse>> answers(agents.size());
  InParallel(agents.size(), [&](size_t i) { answers[i] = call.services->AgentStatus(agents[i]); });
  AgentAnswers by_address;
  for (size_t i = 0; i < agents.size(); ++i) by_address.emplace(agents[i], std::move(answers[i]));
  return model->Look(*servers, by_address, UnixMillis());
}

// Over what stands there: each line up to its end, and all that is below the last.
std::string Redraw(const std::string& text) {
  return "\x1b[H" + absl::StrReplaceAll(text, {{"\n", "\x1b[K\n"}}) + "\x1b[J";
}

void Show(const Invocation& call, const v1::TopReport& report, bool redraw) {
  const std::string text = ShowTop(report, call.printer->wide());
  if (call.printer->json()) {
    call.printer->ShowLine(report, "");
  } else {
    call.printer->ShowText(redraw ? Redraw(text) : text);
  }
}

absl::Status Run(const Invocation& call) {
  const bool live = call.printer->terminal() && !call.options.once;
  const auto interval = std::chrono::milliseconds(call.options.interval_ms);
  TopModel model;
  uint32_t looks = 0;
  while (true) {
    auto report = Look(call, &model);
    // A service that is away for a while ends no live view that has begun.
    if (!report.ok() && (!live || looks == 0)) return report.status();
    ++looks;
    const bool last = live ? looks == call.options.looks : looks == 2;
    if (!report.ok()) {
      call.printer->ShowText(Redraw(std::string(report.status().message()) + "\n"));
    } else if (live || last) {
      Show(call, *report, live);
    }
    if (last) return absl::OkStatus();
    std::this_thread::sleep_for(interval);
  }
}

}  // namespace

const Command kTop = {
    "top",
    "[SERVER...]",
    "Every server's ranks as a grid of (tp, cp), live: rooms, GB/s, failures.",
    R"(Asks the bootstrap service for the servers and every agent for its ranks, once a second. A
cell has the rank's open rooms and GB/s (10^9 bytes a second, sent by prefill, landed at decode
ranks). On a terminal it is drawn in place until interrupted; otherwise, and with --once, one look
is printed, whose rates are over --interval_ms. -o wide has a line for each rank as well.

  batonctl top
  batonctl top prefill-a decode-a --once -o json)",
    0,
    64,
    AddRows,
    Run,
    ArgumentKind::kServer,
};

}  // namespace baton::ctl

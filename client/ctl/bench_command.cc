#include "client/ctl/bench_command.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/ctl/bench/bench.h"
#include "client/ctl/verbs_rows.h"
#include "client/ctl/view.h"

namespace baton::ctl {

void AddBenchRows(Options* options, ConfigTable* table) {
  options->transport = "tcp";
  table->Choice("transport", &options->transport, {"tcp", "shm", "verbs"}, "Path to measure.");
  table->Text("peer", &options->peer, "host:port",
              "Where batonctl bench serve listens; empty: both ends are in this process.",
              [](absl::string_view text) { return text.empty() ? "" : CheckHostPort(text); });
  table->Number("page_kib", &options->page_kib, {1, 65536}, "KiB", "Bytes of a page.");
  table->Number("pages", &options->pages, {1, 65536}, "pages", "Of one room.");
  table->Number("seconds", &options->seconds, {1, 600}, "s", "How long to measure.");
  AddVerbsRows(options, table);
}

absl::Status RunBenchVerb(const Invocation& call, bool latency) {
  BenchPlan plan;
  plan.shape = {call.options.transport, call.options.page_kib << 10, call.options.pages};
  plan.time = std::chrono::seconds(call.options.seconds);
  plan.latency = latency;
  auto wishes = WishesOf(call.options);
  if (!wishes.ok()) return wishes.status();
  plan.wishes = *std::move(wishes);
  absl::StatusOr<v1::BenchReport> report;
  if (call.options.peer.empty()) {
    report = RunBenchHere(plan);
  } else {
    auto socket = ConnectTo(call.options.peer);
    if (!socket.ok()) return socket.status();
    report = RunBench(plan, *std::move(socket));
  }
  if (!report.ok()) return report.status();
  Table table;
  auto us = [](double value) { return absl::StrFormat("%.1f us", value); };
  if (latency) {
    table = {{"TRANSPORT", "PAGE", "PAGES", "P50", "P99", "MAX", "PATH"},
             {{report->transport(), ShowBytes(report->page_bytes()), absl::StrCat(report->rooms()),
               us(report->latency_us_p50()), us(report->latency_us_p99()),
               us(report->latency_us_max()), report->path()}}};
  } else {
    table = {{"TRANSPORT", "PAGE", "ROOMS", "BYTES", "SECONDS", "RATE", "PATH"},
             {{report->transport(), ShowBytes(report->page_bytes()), absl::StrCat(report->rooms()),
               ShowBytes(report->bytes()), absl::StrFormat("%.2f", report->seconds()),
               ShowRate(report->bytes_per_second()), report->path()}}};
  }
  call.printer->Show(*report, {{"", table, ""}});
  return absl::OkStatus();
}

}  // namespace baton::ctl

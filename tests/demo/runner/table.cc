#include "tests/demo/runner/table.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace baton::demo {
namespace {

double PerSecond(double bytes, double seconds) { return seconds <= 0 ? 0 : bytes / seconds / 1e9; }

}  // namespace

std::string RenderTable(const std::vector<TableRow>& rows) {
  size_t width = 6;
  for (const TableRow& row : rows) width = std::max(width, row.scenario.name.size());
  std::string table =
      absl::StrFormat("%-*s %-9s %6s %8s %8s %8s %9s %9s %8s %9s %10s\n", static_cast<int>(width),
                      "model", "transport", "rooms", "GB", "p50 ms", "p99 ms", "moving s", "GB/s",
                      "GB/s all", "copies/pg", "mismatched");
  for (const TableRow& row : rows) {
    const RunResult& run = row.result.run;
    absl::StrAppendFormat(
        &table, "%-*s %-9s %6d %8.2f %8.2f %8.2f %9.1f %9.2f %8.2f %9.2f %10d\n",
        static_cast<int>(width), row.scenario.name, row.scenario.transport, run.rooms,
        run.bytes / 1e9, run.HandoffNs(0.5) * 1e-6, run.HandoffNs(0.99) * 1e-6, run.busy_seconds,
        PerSecond(run.bytes, run.busy_seconds), PerSecond(run.bytes, run.wall_seconds),
        row.result.copies_per_page(), run.pages_bad);
  }
  return absl::StrCat(
      table,
      "(p50, p99: last Send to Landed on every rank; GB/s: while a room was moving; GB/s\n"
      "all: with writing and checking the content; mismatched: pages of a layer and kind)\n");
}

std::string PassLine(const std::vector<TableRow>& rows) {
  uint64_t rooms = 0, bytes = 0, pages = 0;
  double busy = 0;
  for (const TableRow& row : rows) {
    rooms += row.result.run.rooms;
    bytes += row.result.run.bytes;
    pages += row.result.run.pages;
    busy += row.result.run.busy_seconds;
  }
  return absl::StrFormat(
      "demo: PASS %d rooms, %.2f GB in %.1f s of moving, %d pages checked byte by byte, 0 "
      "mismatched",
      rooms, bytes / 1e9, busy, pages);
}

}  // namespace baton::demo

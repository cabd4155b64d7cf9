#include "common/metrics/table.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/metrics/histogram.h"

namespace baton::metrics {
namespace {

std::vector<absl::string_view> Split(absl::string_view labels) {
  return absl::StrSplit(labels, ',', absl::SkipEmpty());
}

void AppendTable(Program program, absl::string_view title, std::string* out) {
  absl::StrAppend(out, "\n## ", title,
                  "\n\n| metric | type | unit | labels | meaning |\n|---|---|---|---|---|\n");
  for (const Row& row : Rows()) {
    if (row.program != program) continue;
    const absl::string_view quote = row.labels.empty() ? "" : "`";
    absl::StrAppend(out, "| `", row.name, "` | ", Name(row.kind), " | ", UnitOf(row), " | ", quote,
                    absl::StrJoin(row.labels, "`, `"), quote, " | ", row.help, " |\n");
  }
}

}  // namespace

const std::vector<Row>& Rows() {
  static const auto* rows = new std::vector<Row>{
#define X(enumerator, name, kind, program, labels, help) \
  {name, Kind::kind, Program::program, Split(labels), help},
      BATON_METRICS(X)
#undef X
  };
  return *rows;
}

absl::string_view UnitOf(const Row& row) {
  absl::string_view name = row.name;
  absl::ConsumeSuffix(&name, "_total");
  for (absl::string_view unit : {"seconds", "bytes", "revisions"}) {
    if (absl::EndsWith(name, absl::StrCat("_", unit))) return unit;
  }
  return "";
}

absl::string_view Name(Kind kind) {
  switch (kind) {
    case Kind::kCounter:
      return "counter";
    case Kind::kGauge:
      return "gauge";
    case Kind::kHistogram:
      return "histogram";
  }
  return "";
}

std::string Markdown() {
  std::string out =
      "# Metrics\n\n"
      "What `--admin_listen` serves on `/metrics`, in Prometheus' text format. Generated from "
      "`common/metrics/table.h`;\n`make docs` writes it anew.\n\n"
      "No label ever holds an id, an address or a name, but that of a device's port. Histograms "
      "have the upper bounds ";
  absl::StrAppend(&out, absl::StrJoin(kBoundsSeconds, ", "),
                  " seconds. A rank's agent counts a room at\nits own side: a hand-off of eight "
                  "ranks to eight is sixteen transfers.\n");
  AppendTable(Program::kAgent, "baton-agent", &out);
  AppendTable(Program::kBootstrap, "baton-bootstrap", &out);
  AppendTable(Program::kRouter, "baton-router", &out);
  AppendTable(Program::kAll, "All", &out);
  return out;
}

}  // namespace baton::metrics

#include "common/metrics/scrape.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <limits>
#include <utility>

#include "common/log.h"
#include "common/log_format.h"
#include "common/metrics/process.h"

namespace baton::metrics {

struct Scrape::Families {
  std::vector<prometheus::MetricFamily> all;  // in the order of Metric
};

namespace {

prometheus::MetricType TypeOf(Kind kind) {
  switch (kind) {
    case Kind::kCounter:
      return prometheus::MetricType::Counter;
    case Kind::kGauge:
      return prometheus::MetricType::Gauge;
    case Kind::kHistogram:
      return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

prometheus::ClientMetric Labelled(const Row& row, const std::vector<absl::string_view>& labels) {
  CHECK_EQ(labels.size(), row.labels.size()) << row.name;
  prometheus::ClientMetric sample;
  for (size_t i = 0; i < labels.size(); ++i) {
    sample.label.push_back({std::string(row.labels[i]), std::string(labels[i])});
  }
  return sample;
}

}  // namespace

Scrape::Scrape(Program program) : program_(program), families_(std::make_unique<Families>()) {
  for (const Row& row : Rows()) {
    prometheus::MetricFamily family;
    family.name = std::string(row.name);
    family.help = std::string(row.help);
    family.type = TypeOf(row.kind);
    families_->all.push_back(std::move(family));
  }
}

Scrape::~Scrape() = default;

void Scrape::Add(Metric metric, const std::vector<absl::string_view>& labels, double value) {
  const Row& row = RowOf(metric);
  CHECK(row.program == program_ || row.program == Program::kAll) << row.name;
  CHECK(row.kind != Kind::kHistogram) << row.name;
  prometheus::ClientMetric sample = Labelled(row, labels);
  (row.kind == Kind::kCounter ? sample.counter.value : sample.gauge.value) = value;
  families_->all[static_cast<size_t>(metric)].metric.push_back(std::move(sample));
}

void Scrape::Add(Metric metric, const std::vector<absl::string_view>& labels,
                 const HistogramValues& values) {
  const Row& row = RowOf(metric);
  CHECK(row.program == program_ || row.program == Program::kAll) << row.name;
  CHECK(row.kind == Kind::kHistogram) << row.name;
  prometheus::ClientMetric sample = Labelled(row, labels);
  uint64_t below = 0;
  for (size_t i = 0; i <= kBounds; ++i) {
    below += values.buckets[i];
    const double bound = i < kBounds ? kBoundsSeconds[i] : std::numeric_limits<double>::infinity();
    sample.histogram.bucket.push_back({below, bound});
  }
  sample.histogram.sample_count = below;
  sample.histogram.sample_sum = values.sum_seconds;
  families_->all[static_cast<size_t>(metric)].metric.push_back(std::move(sample));
}

void Scrape::AddCommon(absl::string_view program, absl::string_view version, bool ready) {
  Add(Metric::kBuildInfo, {program, version}, 1);
  Add(Metric::kReady, {}, ready ? 1 : 0);
  const LogCounts lines = ReadLogCounts();
  Add(Metric::kLogLines, {"info"}, static_cast<double>(lines.info));
  Add(Metric::kLogLines, {"warning"}, static_cast<double>(lines.warning));
  Add(Metric::kLogLines, {"error"}, static_cast<double>(lines.error));
  Add(Metric::kLogLinesKeptBack, {}, static_cast<double>(lines.kept_back));
  Add(Metric::kLogLinesLost, {}, static_cast<double>(lines.lost));
  const ProcessValues process = ReadProcess();
  Add(Metric::kProcessCpu, {}, process.cpu_seconds);
  Add(Metric::kProcessMemory, {}, static_cast<double>(process.resident_bytes));
  Add(Metric::kProcessFds, {}, static_cast<double>(process.open_fds));
  Add(Metric::kProcessMaxFds, {}, static_cast<double>(process.max_fds));
  Add(Metric::kProcessStart, {}, process.start_seconds);
}

std::string Scrape::Text() const {
  std::vector<prometheus::MetricFamily> ours;
  for (size_t i = 0; i < families_->all.size(); ++i) {
    const Program program = Rows()[i].program;
    if (program == program_ || program == Program::kAll) ours.push_back(families_->all[i]);
  }
  return prometheus::TextSerializer().Serialize(ours);
}

}  // namespace baton::metrics

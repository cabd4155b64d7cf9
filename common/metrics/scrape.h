// One answer to Prometheus: samples are added metric by metric, the text comes out in the order of
// the table, with help and type for each of the program's metrics, also for those without a sample.
//
//   Scrape scrape(Program::kAgent);
//   scrape.Add(Metric::kPeers, {"up"}, 3);
//   return scrape.Text();
//
// Thread-compatible.
#ifndef BATON_COMMON_METRICS_SCRAPE_H_
#define BATON_COMMON_METRICS_SCRAPE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/metrics/histogram.h"
#include "common/metrics/table.h"

namespace baton::metrics {

class Scrape {
 public:
  explicit Scrape(Program program);
  ~Scrape();

  // `labels`: one value for each label of the metric's row, in its order. CHECKs that the metric is
  // the program's, that the labels are complete, and that the kind fits.
  void Add(Metric metric, const std::vector<absl::string_view>& labels, double value);
  void Add(Metric metric, const std::vector<absl::string_view>& labels,
           const HistogramValues& values);
  // What is the same for all programs: build, readiness, log, process.
  void AddCommon(absl::string_view program, absl::string_view version, bool ready);

  std::string Text() const;

 private:
  struct Families;

  const Program program_;
  const std::unique_ptr<Families> families_;
};

}  // namespace baton::metrics

#endif  // BATON_COMMON_METRICS_SCRAPE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/metrics/process.h"
#include "common/metrics/scrape.h"
#include "common/metrics/table.h"

namespace baton::metrics {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(MetricsTable, EveryNameHasOnePrefixAndIsThereOnce) {
  std::set<absl::string_view> seen;
  for (const Row& row : Rows()) {
    EXPECT_TRUE(absl::StartsWith(row.name, "baton_") || absl::StartsWith(row.name, "process_"))
        << row.name;
    EXPECT_TRUE(seen.insert(row.name).second) << row.name;
    for (char c : row.name) EXPECT_TRUE(absl::ascii_islower(c) || c == '_') << row.name;
  }
}

TEST(MetricsTable, WhatOnlyGrowsEndsInTotalAndNothingElseDoes) {
  for (const Row& row : Rows()) {
    EXPECT_EQ(absl::EndsWith(row.name, "_total"), row.kind == Kind::kCounter) << row.name;
  }
}

TEST(MetricsTable, UnitsAreBaseUnitsAndHistogramsHaveOne) {
  for (const Row& row : Rows()) {
    for (absl::string_view wrong : {"_ms", "_us", "_milliseconds", "_mb", "_kib", "_percent"}) {
      EXPECT_THAT(std::string(row.name), Not(HasSubstr(std::string(wrong))));
    }
    EXPECT_TRUE(row.kind != Kind::kHistogram || UnitOf(row) == "seconds") << row.name;
  }
}

TEST(MetricsTable, EveryHelpIsASentence) {
  for (const Row& row : Rows()) EXPECT_TRUE(absl::EndsWith(row.help, ".")) << row.name;
}

TEST(MetricsTable, NoLabelIsAnId) {
  const std::set<absl::string_view> known = {
      "program", "version",   "severity", "role",   "outcome", "reason", "stage", "direction",
      "state",   "transport", "result",   "method", "code",    "port",   "status"};
  for (const Row& row : Rows()) {
    for (absl::string_view label : row.labels) EXPECT_TRUE(known.contains(label)) << label;
  }
}

TEST(MetricsTable, ThePageInDocsIsCurrent) {
  std::ifstream file("docs/metrics.md");
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), Markdown()) << "make docs writes it anew";
}

TEST(HistogramTest, CountsInTheFirstBucketThatIsLargeEnough) {
  Histogram histogram;
  histogram.Observe(std::chrono::microseconds(10));
  histogram.Observe(std::chrono::microseconds(11));
  histogram.Observe(std::chrono::minutes(2));
  histogram.Observe(std::chrono::nanoseconds(-5));
  const HistogramValues values = histogram.Read();
  EXPECT_EQ(values.buckets[0], 2u);
  EXPECT_EQ(values.buckets[1], 1u);
  EXPECT_EQ(values.buckets[kBounds], 1u);
  EXPECT_EQ(values.count(), 4u);
  EXPECT_NEAR(values.sum_seconds, 120.000021, 1e-9);
}

TEST(HistogramTest, AQuantileIsTheBoundThatHoldsIt) {
  Histogram histogram;
  EXPECT_EQ(histogram.Read().Quantile(0.99), 0);
  for (int i = 0; i < 99; ++i) histogram.Observe(std::chrono::milliseconds(1));
  histogram.Observe(std::chrono::seconds(2));
  EXPECT_EQ(histogram.Read().Quantile(0.5), 1e-3);
  EXPECT_EQ(histogram.Read().Quantile(0.99), 1e-3);
  EXPECT_EQ(histogram.Read().Quantile(1), 2.5);
  histogram.Observe(std::chrono::hours(1));
  EXPECT_EQ(histogram.Read().Quantile(1), 60);
}

TEST(ScrapeTest, ASampleStandsBelowItsHelpAndItsType) {
  Scrape scrape(Program::kAgent);
  scrape.Add(Metric::kPeers, {"up"}, 3);
  EXPECT_THAT(scrape.Text(), HasSubstr("# HELP baton_peers Other agents known, by control stream.\n"
                                       "# TYPE baton_peers gauge\nbaton_peers{state=\"up\"} 3\n"));
}

TEST(ScrapeTest, EveryMetricOfTheProgramIsThereAndNoOther) {
  const std::string text = Scrape(Program::kBootstrap).Text();
  for (const Row& row : Rows()) {
    const std::string help = absl::StrCat("# HELP ", row.name, " ");
    if (row.program == Program::kAgent || row.program == Program::kRouter) {
      EXPECT_THAT(text, Not(HasSubstr(help)));
    } else {
      EXPECT_THAT(text, HasSubstr(help));
    }
  }
}

TEST(ScrapeTest, BucketsAddUp) {
  Histogram histogram;
  histogram.Observe(std::chrono::milliseconds(1));
  histogram.Observe(std::chrono::minutes(2));
  Scrape scrape(Program::kAgent);
  scrape.Add(Metric::kStageDuration, {"land"}, histogram.Read());
  const std::string text = scrape.Text();
  const std::string name = "baton_stage_duration_seconds";
  EXPECT_THAT(text, HasSubstr(name + "_count{stage=\"land\"} 2\n"));
  EXPECT_THAT(text, HasSubstr(name + "_bucket{stage=\"land\",le=\"60\"} 1\n"));
  EXPECT_THAT(text, HasSubstr(name + "_bucket{stage=\"land\",le=\"+Inf\"} 2\n"));
}

TEST(ScrapeTest, ALabelsValueIsEscaped) {
  Scrape scrape(Program::kAgent);
  scrape.Add(Metric::kPeers, {"a\"b\\c\nd"}, 1);
  EXPECT_THAT(scrape.Text(), HasSubstr("{state=\"a\\\"b\\\\c\\nd\"}"));
}

TEST(ProcessTest, TheKernelSaysSomethingOfThisProcess) {
  const ProcessValues values = ReadProcess();
  EXPECT_GT(values.resident_bytes, 100000u);
  EXPECT_GE(values.open_fds, 3u);
  EXPECT_GT(values.max_fds, values.open_fds);
  // After 2020; the machine's clock is not ours to judge further.
  EXPECT_GT(values.start_seconds, 1577836800.0);
}

TEST(MetricsDeathTest, ASampleThatDoesNotFitItsRowIsAProgrammersError) {
  Scrape scrape(Program::kAgent);
  EXPECT_DEATH(scrape.Add(Metric::kPeers, {}, 1), "baton_peers");
  EXPECT_DEATH(scrape.Add(Metric::kServers, {"prefill", "ready"}, 1), "baton_servers");
  EXPECT_DEATH(scrape.Add(Metric::kStageDuration, {"land"}, 1), "baton_stage_duration_seconds");
}

}  // namespace
}  // namespace baton::metrics

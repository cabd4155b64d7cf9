#include "tests/soak/report.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace baton::soak {
namespace {

// Of a process that never lived so long, what still fills up cannot be told from what leaks.
constexpr double kVerdictFrom = 600;

// More than so much in an hour is growth: a thread or a descriptor, a few rooms, 4 MiB,
// half a pool.
double StepOf(const std::string& what) {
  if (what == kMemory) return 4096;
  // A pool is touched page by page, which takes long.
  if (what == kShared) return 64 << 10;
  if (what == kFiles || what == kThreads) return 1;
  return what == "baton_held_offer_bytes" ? 64 << 10 : 8;
}

std::string JsonOf(const Trend& trend) {
  return absl::StrFormat(
      R"({"lives":%d,"samples":%d,"first":%.6g,"last":%.6g,"least":%.6g,"most":%.6g,)"
      R"("mean":%.6g,"per_hour":%.6g,"error_per_hour":%.6g})",
      trend.lives, trend.samples, trend.first, trend.last, trend.least, trend.most, trend.mean,
      trend.per_hour, trend.error_per_hour);
}

uint64_t RestartsOf(const SoakResult& result) {
  uint64_t total = 0;
  for (const auto& [kind, count] : result.restarts) total += count;
  return total;
}

}  // namespace

std::vector<Row> Rows(const Series& series, double warm_up_s, double seconds) {
  std::vector<Row> rows;
  for (const auto& [key, samples] : series) {
    Row row{key.first, key.second, FitTrend(samples, warm_up_s),
            FitTrend(samples, warm_up_s, seconds / 2)};
    // What only fills up at first has come to rest by the second half.
    row.grows = row.trend.oldest_s >= kVerdictFrom && Grows(row.trend, StepOf(row.what)) &&
                Grows(row.second_half, StepOf(row.what));
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string Table(const std::vector<Row>& rows) {
  std::string table =
      absl::StrFormat("%-18s %-30s %5s %8s %10s %10s %10s %22s %22s\n", "process", "what", "lives",
                      "samples", "mean", "last", "most", "per hour", "in the second half");
  for (const Row& row : rows) {
    const Trend& all = row.trend;
    const Trend& half = row.second_half;
    absl::StrAppendFormat(&table,
                          "%-18s %-30s %5d %8d %10.1f %10.1f %10.1f %+12.2f +-%7.2f "
                          "%+12.2f +-%7.2f%s\n",
                          row.process, row.what, all.lives, all.samples, all.mean, all.last,
                          all.most, all.per_hour, all.error_per_hour, half.per_hour,
                          half.error_per_hour, row.grows ? "  GROWS" : "");
  }
  return table;
}

std::string Summary(const SoakResult& result, uint64_t seed) {
  const chaos::LedgerCounts& rooms = result.rooms;
  return absl::StrFormat(
      "soak: seed %d, %.0f s, %d restarts, %d rooms (%d done, %d lost to restarts, %d lost without "
      "one), %d pages checked, %.0f rooms/s, %d violations",
      seed, result.seconds, RestartsOf(result), rooms.rooms, rooms.done, rooms.failed - rooms.lost,
      rooms.lost, rooms.pages, rooms.done / result.seconds, result.violations.size());
}

std::string Json(const SoakResult& result, const std::vector<Row>& rows, uint64_t seed) {
  std::vector<std::string> restarts, series;
  for (const auto& [kind, count] : result.restarts) {
    restarts.push_back(absl::StrFormat(R"("%s":%d)", chaos::Name(kind), count));
  }
  for (const Row& row : rows) {
    series.push_back(absl::StrFormat(
        R"({"process":"%s","what":"%s","grows":%s,"all":%s,"second_half":%s})", row.process,
        row.what, row.grows ? "true" : "false", JsonOf(row.trend), JsonOf(row.second_half)));
  }
  const chaos::LedgerCounts& rooms = result.rooms;
  return absl::StrFormat(
      "{\"seed\":%d,\"seconds\":%.1f,\"rooms\":%d,\"done\":%d,\"lost_to_restarts\":%d,"
      "\"lost_without_one\":%d,\"pages\":%d,\"rooms_per_second\":%.2f,\"best_minute\":%.2f,"
      "\"last_rate\":%.2f,\"cpu_seconds\":%.1f,\"live_at_restarts\":%d,\"stalls\":%d,"
      "\"live_at_stalls\":%d,\"violations\":%d,\"restarts\":{%s},\"series\":[\n%s\n]}\n",
      seed, result.seconds, rooms.rooms, rooms.done, rooms.failed - rooms.lost, rooms.lost,
      rooms.pages, rooms.done / result.seconds, result.best_rate, result.last_rate,
      result.cpu_seconds, result.live_at_restarts, result.stalls, result.live_at_stalls,
      result.violations.size(), absl::StrJoin(restarts, ","), absl::StrJoin(series, ",\n"));
}

}  // namespace baton::soak

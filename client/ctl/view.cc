#include "client/ctl/view.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/utf8.h"

namespace baton::ctl {
namespace {

// As a terminal counts: one for each character of UTF-8.
size_t Width(const std::string& text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; });
}

void AppendRow(const std::vector<std::string>& cells, const std::vector<size_t>& widths,
               std::string* out) {
  std::string line;
  for (size_t i = 0; i < std::min(cells.size(), widths.size()); ++i) {
    absl::StrAppend(&line, cells[i], std::string(widths[i] + 2 - Width(cells[i]), ' '));
  }
  absl::StrAppend(out, absl::StripTrailingAsciiWhitespace(line), "\n");
}

void AppendTable(const Table& table, bool wide, std::string* out) {
  const size_t shown =
      wide ? table.columns.size() : std::min(table.wide_from, table.columns.size());
  std::vector<size_t> widths;
  for (size_t i = 0; i < shown; ++i) widths.push_back(Width(table.columns[i]));
  for (const auto& row : table.rows) {
    for (size_t i = 0; i < std::min(row.size(), shown); ++i) {
      widths[i] = std::max(widths[i], Width(row[i]));
    }
  }
  AppendRow(table.columns, widths, out);
  for (const auto& row : table.rows) AppendRow(row, widths, out);
}

}  // namespace

std::string Render(const View& view, bool wide) {
  std::string out;
  for (Section section : view) {
    // Names and causes are others' words, and this may be a terminal.
    for (auto& row : section.table.rows) {
      for (std::string& cell : row) cell = CleanUtf8(cell);
    }
    if (!out.empty()) out += "\n";
    if (!section.title.empty()) absl::StrAppend(&out, section.title, ":\n");
    if (section.table.rows.empty() && !section.if_empty.empty()) {
      absl::StrAppend(&out, section.if_empty, "\n");
    } else {
      AppendTable(section.table, wide, &out);
    }
  }
  return out;
}

std::string ShowBytes(uint64_t bytes) {
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 1024) {
    value /= 1024;
    ++unit;
  }
  return unit == 0 ? absl::StrCat(bytes, " B") : absl::StrFormat("%.1f %s", value, kUnits[unit]);
}

std::string ShowRate(double bytes_per_second) {
  constexpr const char* kUnits[] = {"B/s", "kB/s", "MB/s", "GB/s", "TB/s"};
  size_t unit = 0;
  while (bytes_per_second >= 1000 && unit + 1 < std::size(kUnits)) {
    bytes_per_second /= 1000;
    ++unit;
  }
  return absl::StrFormat(unit == 0 ? "%.0f %s" : "%.2f %s", bytes_per_second, kUnits[unit]);
}

std::string ShowMicros(uint64_t us) {
  if (us < 1000) return absl::StrCat(us, "us");
  if (us < 1000 * 1000) return absl::StrFormat("%.2fms", us / 1000.0);
  return absl::StrFormat("%.2fs", us / 1e6);
}

std::string ShowMillis(uint64_t ms) {
  if (ms < 1000) return absl::StrCat(ms, "ms");
  if (ms < 60 * 1000) return absl::StrFormat("%.1fs", ms / 1000.0);
  const uint64_t seconds = ms / 1000;
  if (seconds < 3600) return absl::StrCat(seconds / 60, "m", seconds % 60, "s");
  return absl::StrCat(seconds / 3600, "h", seconds / 60 % 60, "m");
}

}  // namespace baton::ctl

#include "client/ctl/view.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace baton::ctl {
namespace {

void AppendRow(const std::vector<std::string>& cells, const std::vector<size_t>& widths,
               std::string* out) {
  std::string line;
  for (size_t i = 0; i < cells.size(); ++i) {
    absl::StrAppend(&line, cells[i], std::string(widths[i] + 2 - cells[i].size(), ' '));
  }
  absl::StrAppend(out, absl::StripTrailingAsciiWhitespace(line), "\n");
}

void AppendTable(const Table& table, std::string* out) {
  std::vector<size_t> widths;
  for (const std::string& column : table.columns) widths.push_back(column.size());
  for (const auto& row : table.rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  AppendRow(table.columns, widths, out);
  for (const auto& row : table.rows) AppendRow(row, widths, out);
}

}  // namespace

std::string Render(const View& view) {
  std::string out;
  for (const Section& section : view) {
    if (!out.empty()) out += "\n";
    if (!section.title.empty()) absl::StrAppend(&out, section.title, ":\n");
    if (section.table.rows.empty() && !section.if_empty.empty()) {
      absl::StrAppend(&out, section.if_empty, "\n");
    } else {
      AppendTable(section.table, &out);
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

std::string ShowMillis(uint64_t ms) {
  if (ms < 1000) return absl::StrCat(ms, "ms");
  if (ms < 60 * 1000) return absl::StrFormat("%.1fs", ms / 1000.0);
  const uint64_t seconds = ms / 1000;
  if (seconds < 3600) return absl::StrCat(seconds / 60, "m", seconds % 60, "s");
  return absl::StrCat(seconds / 3600, "h", seconds / 60 % 60, "m");
}

}  // namespace baton::ctl

// An answer as an operator reads it: titled tables. Pure.
#ifndef BATON_CLIENT_CTL_VIEW_H_
#define BATON_CLIENT_CTL_VIEW_H_

#include <cstdint>
#include <string>
#include <vector>

namespace baton::ctl {

struct Table {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
  // Columns from here on are shown with -o wide alone.
  size_t wide_from = SIZE_MAX;
};

struct Section {
  std::string title;  // empty: none
  Table table;
  std::string if_empty;  // said in place of a table without rows
};

using View = std::vector<Section>;

// Columns aligned, two spaces apart; no space at a line's end.
std::string Render(const View& view, bool wide = false);

// "1.5 GiB", "640 B".
std::string ShowBytes(uint64_t bytes);
// Decimal, as link rates are: "1.50 GB/s", "640 B/s".
std::string ShowRate(double bytes_per_second);
// "12us", "1.25ms", "3.1s".
std::string ShowMicros(uint64_t us);
// "850ms", "12.3s", "5m10s", "2h3m".
std::string ShowMillis(uint64_t ms);

}  // namespace baton::ctl

#endif  // BATON_CLIENT_CTL_VIEW_H_

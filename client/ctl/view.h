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
};

struct Section {
  std::string title;  // empty: none
  Table table;
  std::string if_empty;  // said in place of a table without rows
};

using View = std::vector<Section>;

// Columns aligned, two spaces apart; no space at a line's end.
std::string Render(const View& view);

// "1.5 GiB", "640 B".
std::string ShowBytes(uint64_t bytes);
// "850ms", "12.3s", "5m10s", "2h3m".
std::string ShowMillis(uint64_t ms);

}  // namespace baton::ctl

#endif  // BATON_CLIENT_CTL_VIEW_H_

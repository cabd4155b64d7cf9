// The grid of `batonctl top`.
#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/ctl/names.h"
#include "client/ctl/top_model.h"
#include "client/ctl/view.h"

namespace baton::ctl {
namespace {

// "2 1.25G": rooms and GB/s. What is not well has a mark that the eye finds.
std::string Cell(const v1::TopRank& rank) {
  if (rank.state() == "missing") return "--";
  if (rank.state() == "silent") return "??";
  if (rank.state() == "unregistered") return "un";
  std::string text = rank.state() == "failing" ? "!" : "";
  if (rank.rooms() == 0 && rank.bytes_per_second() == 0) return text.empty() ? "ok" : text;
  absl::StrAppend(&text, rank.rooms());
  if (rank.bytes_per_second() > 0) {
    absl::StrAppendFormat(&text, " %.2fG", static_cast<double>(rank.bytes_per_second()) / 1e9);
  }
  return text;
}

struct Sum {
  uint64_t rooms = 0, rate = 0, done = 0, failed = 0, ranks = 0, up = 0;

  void Add(const v1::TopRank& rank) {
    rooms += rank.rooms();
    rate += rank.bytes_per_second();
    done += rank.rooms_done();
    failed += rank.rooms_failed();
    ++ranks;
    if (rank.state() != "missing") ++up;
  }
  void Add(const Sum& other) {
    rooms += other.rooms;
    rate += other.rate;
    done += other.done;
    failed += other.failed;
    ranks += other.ranks;
    up += other.up;
  }
};

Sum SumOf(const v1::TopServer& server) {
  Sum sum;
  for (const v1::TopRank& rank : server.ranks()) sum.Add(rank);
  return sum;
}

// Rows are cp ranks, columns tp ranks.
std::string Grid(const std::vector<const v1::TopRank*>& ranks) {
  std::set<uint32_t> tps;
  std::map<uint32_t, std::map<uint32_t, std::string>> cells;
  for (const v1::TopRank* rank : ranks) {
    tps.insert(rank->coord().tp());
    cells[rank->coord().cp()][rank->coord().tp()] = Cell(*rank);
  }
  Table table;
  table.columns.emplace_back("   ");
  for (uint32_t tp : tps) table.columns.push_back(absl::StrCat("tp", tp));
  for (const auto& [cp, row] : cells) {
    std::vector<std::string>& line = table.rows.emplace_back();
    line.push_back(absl::StrCat("    cp", cp));
    for (uint32_t tp : tps) {
      auto cell = row.find(tp);
      line.push_back(cell == row.end() ? "" : cell->second);
    }
  }
  return Render({{"", table, ""}});
}

std::string Ranks(const v1::TopServer& server) {
  Table table{{"    RANK", "STATE", "ROOMS", "RATE", "DONE", "FAILED"}, {}};
  for (const v1::TopRank& rank : server.ranks()) {
    table.rows.push_back({absl::StrCat("    ", ShowCoord(rank.coord())), rank.state(),
                          absl::StrCat(rank.rooms()),
                          ShowRate(static_cast<double>(rank.bytes_per_second())),
                          absl::StrCat(rank.rooms_done()), absl::StrCat(rank.rooms_failed())});
  }
  return Render({{"", table, ""}});
}

void AppendSum(const Sum& sum, std::string* out) {
  absl::StrAppend(out, sum.up, "/", sum.ranks, " ranks  ", sum.rooms, " rooms  ",
                  ShowRate(static_cast<double>(sum.rate)), "  ", sum.done, " done  ", sum.failed,
                  " failed\n");
}

std::string Server(const v1::TopServer& server, bool wide) {
  std::string out = absl::StrCat(server.name(), "  ", ShowRole(server.role()), " ", server.state(),
                                 "  ", server.model(), "  ");
  AppendSum(SumOf(server), &out);
  std::map<std::pair<uint32_t, uint32_t>, std::vector<const v1::TopRank*>> grids;
  for (const v1::TopRank& rank : server.ranks()) {
    grids[{rank.coord().dp(), rank.coord().pp()}].push_back(&rank);
  }
  for (const auto& [place, ranks] : grids) {
    if (grids.size() > 1) absl::StrAppend(&out, "  dp", place.first, " pp", place.second, "\n");
    out += Grid(ranks);
  }
  return wide ? out + Ranks(server) : out;
}

}  // namespace

std::string ShowTop(const v1::TopReport& report, bool wide) {
  Sum all;
  for (const v1::TopServer& server : report.servers()) all.Add(SumOf(server));
  std::string out = absl::StrCat(report.servers_size(), " servers  ");
  AppendSum(all, &out);
  if (report.servers_size() == 0) return out + "no server is registered\n";
  for (const v1::TopServer& server : report.servers()) {
    absl::StrAppend(&out, "\n", Server(server, wide));
  }
  out +=
      "\nrooms and GB/s sent or landed; ok idle, ! rooms failed, -- missing, un not registered,\n"
      "?? its agent is silent\n";
  constexpr int kNamed = 5;
  for (int i = 0; i < std::min(report.silent_size(), kNamed); ++i) {
    absl::StrAppend(&out, "?? ", report.silent(i).agent_address(), ": ", report.silent(i).cause(),
                    "\n");
  }
  return out;
}

}  // namespace baton::ctl

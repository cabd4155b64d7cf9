#include "bootstrap_service/page/status_page.h"

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "admin/html.h"

namespace baton::registry {
namespace {

using admin::HtmlPage;

// Grids end here; what is left is for the list of servers.
constexpr size_t kGridBytesMax = 100 * 1024;
// A grid with more cells is told in numbers.
constexpr uint64_t kCellsMax = 2048;
// Cells of a server with more of them do not tell their agent.
constexpr uint64_t kTitledCellsMax = 256;

// "ready": also the name of a style.
absl::string_view StateOf(const v1::ServerRecord& server) {
  switch (server.state()) {
    case v1::SERVER_STATE_READY:
      return "ready";
    case v1::SERVER_STATE_DRAINING:
      return "draining";
    case v1::SERVER_STATE_PROVISIONAL:
      return "provisional";
    default:
      return "registering";
  }
}

absl::string_view RoleOf(const v1::ServerRecord& server) {
  return server.role() == v1::ROLE_PREFILL ? "prefill" : "decode";
}

uint64_t SlotsOf(const v1::RankCoord& sizes) {
  return uint64_t{sizes.dp()} * sizes.pp() * sizes.cp() * sizes.tp();
}

uint64_t NumberOf(const v1::RankCoord& c, const v1::RankCoord& sizes) {
  return ((uint64_t{c.dp()} * sizes.pp() + c.pp()) * sizes.cp() + c.cp()) * sizes.tp() + c.tp();
}

// The live ranks of a server by their place in it.
absl::flat_hash_map<uint64_t, const v1::RankRecord*> LiveOf(const v1::ServerRecord& server) {
  absl::flat_hash_map<uint64_t, const v1::RankRecord*> live;
  for (const v1::RankRecord& rank : server.ranks()) {
    live[NumberOf(rank.coord(), server.spec().sizes())] = &rank;
  }
  return live;
}

void WriteHead(const v1::ServerRecord& server, HtmlPage* page) {
  const uint64_t slots = SlotsOf(server.spec().sizes());
  page->Markup("<h2>").Text(server.name()).Markup(" <b class=").Markup(StateOf(server));
  page->Markup(">").Markup(StateOf(server)).Markup("</b></h2>\n<p class=dim>");
  page->Text(absl::StrCat(RoleOf(server), ", model ", server.model(), ", incarnation ",
                          server.incarnation(), ", ", server.ranks_size(), " of ", slots,
                          " ranks live"));
  const v1::Load& load = server.load();
  page->Text(absl::StrCat(", ", load.rooms(), " rooms, ",
                          admin::BytesText(static_cast<double>(load.bytes_per_second())), "/s"));
  if (server.ranks_size() > 0 && !load.healthy()) page->Text(", an agent says it is not well");
  page->Markup("</p>\n");
}

// One (dp, pp): rows are cp, columns are tp.
void WriteGrid(const v1::ServerRecord& server, uint32_t dp, uint32_t pp,
               const absl::flat_hash_map<uint64_t, const v1::RankRecord*>& live, bool titled,
               HtmlPage* page) {
  const v1::RankCoord& sizes = server.spec().sizes();
  page->Markup("<table class=grid><caption>").Text(absl::StrCat("dp", dp, "/pp", pp));
  page->Markup("</caption><tr><th></th>");
  for (uint32_t tp = 0; tp < sizes.tp(); ++tp) page->Markup("<th>").Number(tp).Markup("</th>");
  page->Markup("</tr>\n");
  for (uint32_t cp = 0; cp < sizes.cp(); ++cp) {
    page->Markup("<tr><th>").Text(absl::StrCat("cp", cp)).Markup("</th>");
    for (uint32_t tp = 0; tp < sizes.tp(); ++tp) {
      v1::RankCoord coord;
      coord.set_dp(dp);
      coord.set_pp(pp);
      coord.set_cp(cp);
      coord.set_tp(tp);
      auto it = live.find(NumberOf(coord, sizes));
      const bool there = it != live.end();
      page->Markup("<td class=").Markup(there ? StateOf(server) : "missing");
      if (titled) {
        page->Markup(" title=\"").Text(absl::StrCat("dp", dp, "/pp", pp, "/cp", cp, "/tp", tp));
        page->Text(there ? absl::StrFormat(": incarnation %d, epoch %x, agent %s",
                                           server.incarnation(), it->second->epoch(),
                                           it->second->agent_address())
                         : ": no live lease");
        page->Markup("\"");
      }
      page->Markup(there ? ">o</td>" : ">-</td>");
    }
    page->Markup("</tr>\n");
  }
  page->Markup("</table>\n");
}

// What does not fit as cells: how many of each (dp, pp).
void WriteCounts(const v1::ServerRecord& server, HtmlPage* page) {
  const v1::RankCoord& sizes = server.spec().sizes();
  absl::flat_hash_map<uint64_t, uint64_t> live;
  for (const v1::RankRecord& rank : server.ranks()) {
    ++live[uint64_t{rank.coord().dp()} * sizes.pp() + rank.coord().pp()];
  }
  const uint64_t each = uint64_t{sizes.cp()} * sizes.tp();
  const uint64_t groups = uint64_t{sizes.dp()} * sizes.pp();
  uint64_t whole = 0;
  page->Markup("<p>");
  for (uint64_t group = 0; group < groups; ++group) {
    if (live[group] == each) {
      ++whole;
    } else if (page->size() < kGridBytesMax) {
      page->Text(absl::StrCat("dp", group / sizes.pp(), "/pp", group % sizes.pp(), ": ",
                              live[group], " of ", each, " live; "));
    }
  }
  page->Text(absl::StrCat(whole, " of ", groups, " groups (dp, pp) complete")).Markup("</p>\n");
}

void WriteServer(const v1::ServerRecord& server, HtmlPage* page) {
  WriteHead(server, page);
  const v1::RankCoord& sizes = server.spec().sizes();
  const uint64_t slots = SlotsOf(sizes);
  if (slots > kCellsMax) return WriteCounts(server, page);
  const auto live = LiveOf(server);
  for (uint32_t dp = 0; dp < sizes.dp(); ++dp) {
    for (uint32_t pp = 0; pp < sizes.pp(); ++pp) {
      WriteGrid(server, dp, pp, live, slots <= kTitledCellsMax, page);
    }
  }
}

// Everything that a name may hold, for a link.
std::string UrlOf(absl::string_view name) {
  std::string url = "?server=";
  for (const unsigned char c : name) {
    if (absl::ascii_isalnum(c)) {
      url.push_back(static_cast<char>(c));
    } else {
      absl::StrAppend(&url, absl::StrFormat("%%%02x", c));
    }
  }
  return url;
}

void WriteList(const std::vector<const v1::ServerRecord*>& servers, HtmlPage* page) {
  if (servers.empty()) return;
  page->Markup("<h2>More servers</h2>\n<table>");
  page->Heads({"server", "state", "role", "incarnation", "ranks", "model"});
  size_t shown = 0;
  for (const v1::ServerRecord* server : servers) {
    if (page->full()) break;
    page->Markup("<tr><td><a href=\"").Text(UrlOf(server->name())).Markup("\">");
    page->Text(server->name()).Markup("</a></td>");
    page->Cell(StateOf(*server)).Cell(RoleOf(*server)).Cell(absl::StrCat(server->incarnation()));
    page->Cell(absl::StrCat(server->ranks_size(), " of ", SlotsOf(server->spec().sizes())));
    page->Cell(server->model()).Markup("</tr>\n");
    ++shown;
  }
  page->Markup("</table>\n");
  if (shown == servers.size()) return;
  page->Markup("<p>").Number(servers.size() - shown);
  page->Markup(" more are not shown: batonctl server list has them all.</p>\n");
}

void WriteTop(const PageInput& input, HtmlPage* page) {
  uint64_t ranks = 0;
  uint64_t missing = 0;
  for (const v1::ServerRecord& server : input.servers) {
    ranks += server.ranks_size();
    missing += server.missing_count();
  }
  page->Markup("<h1>baton-bootstrap <span class=dim>").Text(input.address);
  page->Markup("</span></h1>\n<p>");
  page->Text(absl::StrCat(input.servers.size(), " servers, ", ranks, " ranks live, ", missing,
                          " missing, ", input.watchers, " watchers"));
  page->Markup(". <a href=\"/metrics\">metrics</a></p>\n");
  if (!input.health.ready) {
    page->Markup("<p class=bad>not ready: ").Text(input.health.why).Markup("</p>\n");
  }
  if (!input.settled) {
    page->Markup(
        "<p class=bad>Settling: for one lease time after its start the service issues no "
        "incarnation, and lists as provisional what agents bring back.</p>\n");
  }
}

// Bytes that a server's part of the page takes, at most.
size_t GridBytes(const v1::ServerRecord& server) {
  const v1::RankCoord& sizes = server.spec().sizes();
  const uint64_t slots = SlotsOf(sizes);
  // Escaping makes up to six of one.
  const size_t head = 6 * (server.name().size() + server.model().size()) + 512;
  if (slots > kCellsMax) return head + 8192;
  size_t addresses = 0;
  for (const v1::RankRecord& rank : server.ranks()) addresses += 6 * rank.agent_address().size();
  const bool titled = slots <= kTitledCellsMax;
  const size_t row = 48 + size_t{sizes.tp()} * (titled ? 170 : 32);
  const size_t grid = 128 + size_t{sizes.tp()} * 16 + sizes.cp() * row;
  return head + size_t{sizes.dp()} * sizes.pp() * grid + (titled ? addresses : 0);
}

}  // namespace

std::string StatusPage(const PageInput& input) {
  // A row of the list may be the last one begun: names and models are at most 384 bytes.
  HtmlPage page("baton-bootstrap", kPageBytesMax - 8192);
  WriteTop(input, &page);
  std::vector<const v1::ServerRecord*> listed;
  bool found = false;
  for (const v1::ServerRecord& server : input.servers) {
    if (!input.only.empty() && server.name() != input.only) continue;
    found = true;
    if (page.size() + GridBytes(server) <= kGridBytesMax) {
      WriteServer(server, &page);
    } else {
      listed.push_back(&server);
    }
  }
  if (!input.only.empty()) {
    if (!found) page.Markup("<p>No server ").Text(input.only).Markup(" is listed.</p>\n");
    page.Markup("<p><a href=\"/\">all servers</a></p>\n");
  } else if (input.servers.empty()) {
    page.Markup("<p>No server is registered.</p>\n");
  }
  WriteList(listed, &page);
  return page.Finish();
}

}  // namespace baton::registry

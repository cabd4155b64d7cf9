#include "transfer_agent/page/status_page.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "admin/html.h"

namespace baton::agent {
namespace {

using admin::BytesText;
using admin::HtmlPage;
using admin::SecondsText;

constexpr size_t kRoomsMax = 50;
constexpr size_t kFailedMax = 20;
// Of one cause or path; more is cut.
constexpr size_t kTextMax = 512;
// What may follow once the page is full: the end of a row and the sections' heads.
constexpr size_t kReserve = 24 * 1024;

std::string RankText(const v1::RankRef& rank) {
  const v1::RankCoord& c = rank.coord();
  return absl::StrCat(rank.server(), "[dp", c.dp(), "/pp", c.pp(), "/cp", c.cp(), "/tp", c.tp(),
                      "]");
}

std::string RoomText(const v1::RoomKey& room) {
  return room.nonce() == 0 ? absl::StrCat(room.id()) : absl::StrCat(room.id(), "#", room.nonce());
}

absl::string_view RoleText(v1::Role role) {
  return role == v1::ROLE_PREFILL ? "prefill" : "decode";
}

absl::string_view Cut(absl::string_view text) { return text.substr(0, kTextMax); }

void WriteTop(const PageInput& input, HtmlPage* page) {
  const v1::AgentStatusResponse& status = input.status;
  page->Markup("<h1>baton-agent <span class=dim>").Text(status.address());
  page->Markup("</span></h1>\n<p>");
  page->Text(absl::StrFormat("version %s, epoch %x, %d workers, %d ranks, %d rooms done, %d failed",
                             status.version(), status.epoch(), status.workers(),
                             status.ranks_size(), status.rooms_done(), status.rooms_failed()));
  page->Text(absl::StrCat(", ", BytesText(static_cast<double>(status.bytes_sent())), " sent, ",
                          BytesText(static_cast<double>(status.bytes_landed())), " landed"));
  page->Markup(". <a href=\"/metrics\">metrics</a></p>\n");
  for (const std::string& warning : status.warnings()) {
    page->Markup("<p class=bad>").Text(Cut(warning)).Markup("</p>\n");
  }
  if (input.health.ready) return;
  page->Markup("<p class=bad>not ready: ").Text(input.health.why.substr(0, 4096));
  page->Markup("</p>\n");
}

void WriteRanks(const v1::AgentStatusResponse& status, HtmlPage* page) {
  page->Markup("<h2>Ranks</h2>\n");
  if (status.ranks_size() == 0) {
    page->Markup("<p>No engine is attached.</p>\n");
    return;
  }
  page->Markup("<table>");
  page->Heads({"rank", "role", "state", "incarnation", "rooms", "pools", "worker"});
  for (const v1::HostedRank& rank : status.ranks()) {
    if (page->full()) break;
    page->Markup("<tr>").Cell(RankText(rank.rank())).Cell(RoleText(rank.role())).Markup("<td>");
    if (rank.registered()) {
      page->Markup("<b class=live>serving</b></td>");
    } else {
      page->Markup("<b class=registering>waiting</b> ").Text(Cut(rank.registration_error()));
      page->Markup("</td>");
    }
    page->Cell(absl::StrCat(rank.incarnation())).Cell(absl::StrCat(rank.rooms()));
    page->Cell(BytesText(static_cast<double>(rank.pool_bytes())));
    page->Cell(absl::StrCat(rank.worker())).Markup("</tr>\n");
  }
  page->Markup("</table>\n");
}

void WriteTransports(const v1::AgentStatusResponse& status, HtmlPage* page) {
  page->Markup("<h2>Transports, best first</h2>\n<table>");
  for (const v1::TransportStatus& transport : status.transports()) {
    page->Markup("<tr>")
        .Cell(transport.name())
        .Cell(transport.on() ? "on" : "off", transport.on() ? "" : "bad");
    page->Cell(Cut(transport.summary())).Markup("</tr>\n");
  }
  page->Markup("</table>\n<h2>Peers</h2>\n");
  if (status.peers_size() == 0) {
    page->Markup("<p>None yet.</p>\n");
    return;
  }
  page->Markup("<table>").Heads({"agent", "stream", "pages go by"});
  for (const v1::PeerStatus& peer : status.peers()) {
    if (page->full()) break;
    page->Markup("<tr>").Cell(peer.agent_address());
    page->Cell(peer.state(), peer.state() == "up" ? "" : "bad");
    page->Cell(peer.transport().empty() ? "no room yet" : Cut(peer.transport())).Markup("</tr>\n");
  }
  page->Markup("</table>\n");
}

double MeanOf(const metrics::HistogramValues& values) {
  const uint64_t count = values.count();
  return count == 0 ? 0 : values.sum_seconds / static_cast<double>(count);
}

void WriteStages(const std::vector<StageValues>& stages, HtmlPage* page) {
  auto slowest = std::max_element(stages.begin(), stages.end(), [](const auto& a, const auto& b) {
    return MeanOf(a.values) < MeanOf(b.values);
  });
  page->Markup("<h2>Where the time goes</h2>\n");
  if (slowest == stages.end() || slowest->values.count() == 0) {
    page->Markup("<p>No room has come through yet.</p>\n");
    return;
  }
  page->Markup("<p>Slowest stage: <strong>").Text(slowest->name).Markup("</strong>, ");
  page->Text(SecondsText(MeanOf(slowest->values))).Markup(" in the mean.</p>\n<table>");
  page->Heads({"stage", "times", "mean", "half within", "99 % within"});
  for (const StageValues& stage : stages) {
    page->Markup("<tr>").Cell(stage.name).Cell(absl::StrCat(stage.values.count()));
    page->Cell(SecondsText(MeanOf(stage.values)));
    page->Cell(SecondsText(stage.values.Quantile(0.5)));
    page->Cell(SecondsText(stage.values.Quantile(0.99))).Markup("</tr>\n");
  }
  page->Markup("</table>\n");
}

void WriteLive(std::vector<v1::RoomStatus> rooms, HtmlPage* page) {
  page->Markup("<h2>Live rooms</h2>\n");
  if (rooms.empty()) {
    page->Markup("<p>None.</p>\n");
    return;
  }
  std::sort(rooms.begin(), rooms.end(),
            [](const auto& a, const auto& b) { return a.age_ms() > b.age_ms(); });
  page->Markup("<p>").Number(rooms.size()).Markup(", the oldest first:</p>\n<table>");
  page->Heads({"room", "rank", "state", "age", "bytes"});
  for (size_t i = 0; i < rooms.size() && i < kRoomsMax && !page->full(); ++i) {
    const v1::RoomStatus& room = rooms[i];
    page->Markup("<tr>").Cell(RoomText(room.room())).Cell(RankText(room.rank()));
    page->Cell(room.state()).Cell(SecondsText(1e-3 * static_cast<double>(room.age_ms())));
    page->Cell(BytesText(static_cast<double>(room.bytes()))).Markup("</tr>\n");
  }
  page->Markup("</table>\n");
}

void WriteFailed(const std::vector<v1::RoomStatus>& rooms, HtmlPage* page) {
  page->Markup("<h2>Last failures</h2>\n");
  if (rooms.empty()) {
    page->Markup("<p>None.</p>\n");
    return;
  }
  page->Markup("<table>").Heads({"room", "rank", "reason", "rank to blame", "cause"});
  for (size_t i = 0; i < rooms.size() && i < kFailedMax && !page->full(); ++i) {
    const v1::RoomStatus& room = rooms[i];
    page->Markup("<tr>").Cell(RoomText(room.room())).Cell(RankText(room.rank()));
    page->Cell(room.cause().reason(), "bad");
    page->Cell(room.cause().has_rank() ? RankText(room.cause().rank()) : "");
    page->Cell(Cut(room.cause().message())).Markup("</tr>\n");
  }
  page->Markup("</table>\n");
}

}  // namespace

std::string StatusPage(const PageInput& input) {
  HtmlPage page("baton-agent", kPageBytesMax - kReserve);
  WriteTop(input, &page);
  WriteRanks(input.status, &page);
  WriteStages(input.stages, &page);
  WriteFailed(input.failed, &page);
  WriteLive(input.live, &page);
  WriteTransports(input.status, &page);
  return page.Finish();
}

}  // namespace baton::agent

#include "admin/html.h"

#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "common/utf8.h"

namespace baton::admin {
namespace {

constexpr absl::string_view kStyle =
    "body{font:14px/1.45 system-ui,sans-serif;margin:1.5em auto;max-width:72em;padding:0 1em;"
    "color:#1c2330;background:#fff}\n"
    "h1{font-size:1.4em;margin:0 0 .3em}h2{font-size:1.1em;margin:1.6em 0 .4em}\n"
    "table{border-collapse:collapse}td,th{padding:.15em .7em .15em 0;text-align:left;"
    "vertical-align:top}\n"
    "th{font-weight:600;color:#566072}table.grid{display:inline-table;margin:.3em 1.4em .3em 0}\n"
    "table.grid td,table.grid th{padding:0 .15em;text-align:center;font-size:12px}\n"
    "table.grid td{min-width:1.5em;border:1px solid #fff;color:#fff}caption{text-align:left;"
    "color:#566072;font-size:12px}\n"
    ".ready,.live{background:#1a7f4b;color:#fff}.registering,.provisional{background:#a66300;"
    "color:#fff}.draining{background:#3d63b0;color:#fff}.missing{background:#b3261e;color:#fff}\n"
    "b.ready,b.live,b.registering,b.provisional,b.draining,b.missing{padding:0 .5em;"
    "border-radius:.6em;font-weight:600}\n"
    ".bad{color:#b3261e}.dim{color:#566072}.num{text-align:right}\n"
    "@media(prefers-color-scheme:dark){body{background:#12161d;color:#dfe4ec}"
    "table.grid td{border-color:#12161d}th,caption,.dim{color:#9aa5b5}.bad{color:#ff8a80}"
    "a{color:#8ab4f8}}\n";

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string Unescaped(absl::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool coded = text[i] == '%' && i + 2 < text.size() && HexDigit(text[i + 1]) >= 0 &&
                       HexDigit(text[i + 2]) >= 0;
    if (coded) {
      out.push_back(static_cast<char>(HexDigit(text[i + 1]) * 16 + HexDigit(text[i + 2])));
      i += 2;
    } else {
      out.push_back(text[i] == '+' ? ' ' : text[i]);
    }
  }
  return out;
}

}  // namespace

std::string Escaped(absl::string_view text) {
  std::string out;
  for (char c : CleanUtf8(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out.push_back(c);
    }
  }
  return out;
}

std::string QueryValue(absl::string_view query, absl::string_view name) {
  for (absl::string_view part : absl::StrSplit(query, '&')) {
    std::pair<absl::string_view, absl::string_view> pair =
        absl::StrSplit(part, absl::MaxSplits('=', 1));
    if (pair.first == name) return Unescaped(pair.second);
  }
  return "";
}

std::string BytesText(double bytes) {
  constexpr absl::string_view kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  size_t unit = 0;
  while (bytes >= 1024 && unit + 1 < std::size(kUnits)) {
    bytes /= 1024;
    ++unit;
  }
  return absl::StrFormat(unit == 0 ? "%.0f %s" : "%.1f %s", bytes, kUnits[unit]);
}

std::string SecondsText(double seconds) {
  if (seconds < 1e-3) return absl::StrFormat("%.0f us", seconds * 1e6);
  if (seconds < 1) return absl::StrFormat("%.1f ms", seconds * 1e3);
  return absl::StrFormat("%.1f s", seconds);
}

HtmlPage::HtmlPage(absl::string_view title, size_t bytes_max) : bytes_max_(bytes_max) {
  body_ = absl::StrCat("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>",
                       Escaped(title),
                       "</title>\n<meta http-equiv=\"refresh\" content=\"5\">\n"
                       "<meta name=\"viewport\" content=\"width=device-width\">\n<style>\n",
                       kStyle, "</style></head><body>\n");
}

HtmlPage& HtmlPage::Markup(absl::string_view html) {
  absl::StrAppend(&body_, html);
  return *this;
}

HtmlPage& HtmlPage::Text(absl::string_view outside) {
  absl::StrAppend(&body_, Escaped(outside));
  return *this;
}

HtmlPage& HtmlPage::Number(uint64_t number) {
  absl::StrAppend(&body_, number);
  return *this;
}

HtmlPage& HtmlPage::Cell(absl::string_view outside, absl::string_view style) {
  const absl::string_view open = style.empty() ? "" : " class=";
  absl::StrAppend(&body_, "<td", open, style, ">", Escaped(outside), "</td>");
  return *this;
}

HtmlPage& HtmlPage::Heads(std::initializer_list<absl::string_view> own) {
  absl::StrAppend(&body_, "<tr>");
  for (absl::string_view head : own) absl::StrAppend(&body_, "<th>", head, "</th>");
  absl::StrAppend(&body_, "</tr>\n");
  return *this;
}

std::string HtmlPage::Finish() {
  absl::StrAppend(&body_, "</body></html>\n");
  return std::move(body_);
}

}  // namespace baton::admin

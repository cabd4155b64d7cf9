// A page in plain HTML, written from top to bottom. Text from outside can only get in escaped.
//
//   HtmlPage page("baton-agent", 140000);
//   page.Markup("<h2>").Text(server_name).Markup("</h2>\n");
//   return page.Finish();
//
// Nothing is loaded from elsewhere and no script runs; the page asks for itself again every 5 s.
// Thread-compatible.
#ifndef BATON_ADMIN_HTML_H_
#define BATON_ADMIN_HTML_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>

#include "absl/strings/string_view.h"

namespace baton::admin {

// Fit for an element's text and for an attribute between double quotes. What is no UTF-8 and no
// printable character becomes a question mark.
std::string Escaped(absl::string_view text);

// The first value of `name` in a query as "server=a%20b&x=1"; empty when it is not there.
std::string QueryValue(absl::string_view query, absl::string_view name);

// "1.5 GiB", "1.2 ms": for people.
std::string BytesText(double bytes);
std::string SecondsText(double seconds);

class HtmlPage {
 public:
  // What is over `bytes_max` is left to the caller to leave out: see full().
  HtmlPage(absl::string_view title, size_t bytes_max);

  // From the program's own text alone: never a name that came from outside.
  HtmlPage& Markup(absl::string_view html);
  HtmlPage& Text(absl::string_view outside);
  HtmlPage& Number(uint64_t number);
  // <td>text</td>, with a class of the style sheet where one is given.
  HtmlPage& Cell(absl::string_view outside, absl::string_view style = "");
  // <tr><th>...</tr> of own words.
  HtmlPage& Heads(std::initializer_list<absl::string_view> own);

  bool full() const { return body_.size() >= bytes_max_; }
  size_t size() const { return body_.size(); }
  std::string Finish();

 private:
  const size_t bytes_max_;
  std::string body_;
};

}  // namespace baton::admin

#endif  // BATON_ADMIN_HTML_H_

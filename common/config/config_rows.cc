// The kinds of row: how each reads its text and what it says when it cannot.
#include <arpa/inet.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/config/config.h"
#include "common/log.h"

namespace baton {
namespace {

std::string Show(bool value) { return value ? "true" : "false"; }

std::string SpanOf(NumberRange range) {
  if (range.max == UINT64_MAX) return range.min == 0 ? "" : absl::StrCat("at least ", range.min);
  return absl::StrCat(range.min, " to ", range.max);
}

}  // namespace

void ConfigTable::Add(Row row) {
  CHECK(Find(row.name) == nullptr) << "two rows for --" << row.name;
  row.fallback = row.get();
  // A default outside of its own range is a programmer's error.
  if (!row.fallback.empty() && row.type != "list") CHECK_EQ(row.set(row.fallback), "") << row.name;
  rows_.push_back(std::move(row));
}

void ConfigTable::Text(absl::string_view name, std::string* value, absl::string_view unit,
                       absl::string_view help, TextCheck check) {
  Row row{std::string(name), "text", "", std::string(unit), "", std::string(help), {}, {}, {}};
  row.set = [value, check](absl::string_view text) {
    std::string wrong = check ? check(text) : "";
    if (wrong.empty()) *value = std::string(text);
    return wrong;
  };
  row.get = [value] { return *value; };
  Add(std::move(row));
}

template <typename T>
void ConfigTable::AddNumber(absl::string_view name, T* value, NumberRange range,
                            absl::string_view unit, absl::string_view help) {
  range.max = std::min<uint64_t>(range.max, static_cast<T>(-1));
  Row row{std::string(name),
          "number",
          SpanOf(range),
          std::string(unit),
          "",
          std::string(help),
          {},
          {},
          {}};
  row.set = [value, range](absl::string_view text) -> std::string {
    uint64_t number;
    if (!absl::SimpleAtoi(text, &number)) return "not a whole number";
    if (number < range.min || number > range.max) {
      return absl::StrCat("outside of ", range.min, " to ", range.max);
    }
    *value = static_cast<T>(number);
    return "";
  };
  row.get = [value] { return absl::StrCat(*value); };
  Add(std::move(row));
}

void ConfigTable::Number(absl::string_view name, uint32_t* value, NumberRange range,
                         absl::string_view unit, absl::string_view help) {
  AddNumber(name, value, range, unit, help);
}

void ConfigTable::Number(absl::string_view name, uint64_t* value, NumberRange range,
                         absl::string_view unit, absl::string_view help) {
  AddNumber(name, value, range, unit, help);
}

void ConfigTable::Real(absl::string_view name, double* value, RealRange range,
                       absl::string_view unit, absl::string_view help) {
  Row row{std::string(name),
          "real",
          absl::StrCat(range.min, " to ", range.max),
          std::string(unit),
          "",
          std::string(help),
          {},
          {},
          {}};
  row.set = [value, range](absl::string_view text) -> std::string {
    double number;
    if (!absl::SimpleAtod(text, &number)) return "not a number";
    // Written so that NaN is outside.
    if (!(number >= range.min && number <= range.max)) {
      return absl::StrCat("outside of ", range.min, " to ", range.max);
    }
    *value = number;
    return "";
  };
  row.get = [value] { return absl::StrCat(*value); };
  Add(std::move(row));
}

void ConfigTable::Bool(absl::string_view name, bool* value, absl::string_view help) {
  Row row{std::string(name), "bool", "", "", "", std::string(help), {}, {}, {}};
  row.set = [value](absl::string_view text) -> std::string {
    return absl::SimpleAtob(text, value) ? "" : "neither true nor false";
  };
  row.get = [value] { return Show(*value); };
  Add(std::move(row));
}

void ConfigTable::Choice(absl::string_view name, std::string* value,
                         std::vector<std::string> choices, absl::string_view help) {
  std::string domain = absl::StrJoin(choices, "|");
  Row row{std::string(name), "choice", domain, "name", "", std::string(help), {}, {}, {}};
  row.set = [value, choices, domain](absl::string_view text) -> std::string {
    for (const std::string& choice : choices) {
      if (text != choice) continue;
      *value = choice;
      return "";
    }
    return absl::StrCat("none of ", domain);
  };
  row.get = [value] { return *value; };
  Add(std::move(row));
}

void ConfigTable::List(absl::string_view name, std::vector<std::string>* values,
                       absl::string_view unit, absl::string_view help) {
  Row row{std::string(name), "list", "", std::string(unit), "", std::string(help), {}, {}, {}};
  row.set = [values](absl::string_view text) -> std::string {
    values->emplace_back(text);
    return "";
  };
  row.get = [values] { return absl::StrJoin(*values, ","); };
  row.clear = [values] { values->clear(); };
  Add(std::move(row));
}

std::string CheckHostPort(absl::string_view text) {
  size_t colon = text.rfind(':');
  uint32_t port;
  // "::1" without brackets has no port: its last group is part of the address.
  bool bare_ipv6 = colon != absl::string_view::npos &&
                   absl::StrContains(text.substr(0, colon), ":") && text[0] != '[';
  if (colon == absl::string_view::npos || colon == 0 || bare_ipv6 ||
      !absl::SimpleAtoi(text.substr(colon + 1), &port) || port > 65535) {
    return "not host:port (an IPv6 address stands in brackets: [::1]:7000)";
  }
  return "";
}

std::string CheckOptionalHostPort(absl::string_view text) {
  return text.empty() ? "" : CheckHostPort(text);
}

std::string CheckDialable(absl::string_view text) {
  if (std::string wrong = CheckHostPort(text); !wrong.empty()) return wrong;
  absl::string_view host = text.substr(0, text.rfind(':'));
  const bool ipv6 = absl::StartsWith(host, "[");
  if (ipv6) {
    in6_addr parsed;
    const std::string inner(host.substr(1, host.size() - 2));
    if (!absl::EndsWith(host, "]") || inet_pton(AF_INET6, inner.c_str(), &parsed) != 1) {
      return "not host:port: no IPv6 address stands in the brackets";
    }
    if (IN6_IS_ADDR_UNSPECIFIED(&parsed)) host = "0.0.0.0";
  }
  if (host == "0.0.0.0" || host == "0") {
    return "is where a program listens on all addresses, and nobody can dial it: give one of them";
  }
  const bool fit = ipv6 || std::all_of(host.begin(), host.end(), [](char c) {
                     return absl::ascii_isalnum(c) || c == '.' || c == '-' || c == '_';
                   });
  return fit ? "" : "not host:port: the host is neither a name nor an address";
}

std::string CheckPeerAddress(absl::string_view text) {
  if (std::string wrong = CheckDialable(text); !wrong.empty()) return wrong;
  return absl::EndsWith(text, ":0") ? "has port 0, which nobody can dial" : "";
}

std::string CheckNotEmpty(absl::string_view text) { return text.empty() ? "is empty" : ""; }

}  // namespace baton

#include "tests/soak/scrape.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace baton::soak {

std::map<std::string, double> SumByName(absl::string_view text,
                                        const std::vector<std::string>& names) {
  std::map<std::string, double> sums;
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const absl::string_view name = line.substr(0, line.find_first_of("{ "));
    if (std::find(names.begin(), names.end(), name) == names.end()) continue;
    double value = 0;
    if (!absl::SimpleAtod(line.substr(line.rfind(' ') + 1), &value)) continue;
    sums[std::string(name)] += value;
  }
  return sums;
}

const std::vector<std::string>& AgentSizes() {
  static const auto* names = new std::vector<std::string>{"baton_open_rooms",
                                                          "baton_held_offers",
                                                          "baton_held_offer_bytes",
                                                          "baton_room_bindings",
                                                          "baton_room_lookups",
                                                          "baton_channels",
                                                          "baton_peers",
                                                          "baton_peer_paths",
                                                          "baton_hosted_ranks",
                                                          "baton_registered_memory_bytes"};
  return *names;
}

const std::vector<std::string>& BootstrapSizes() {
  static const auto* names =
      new std::vector<std::string>{"baton_servers", "baton_registered_ranks", "baton_bound_rooms",
                                   "baton_waiting_lookups", "baton_watchers"};
  return *names;
}

}  // namespace baton::soak

// Where a process runs: here, or in a network namespace with an address of its own, as a pod does.
#ifndef BATON_TESTS_CHAOS_PLACE_H_
#define BATON_TESTS_CHAOS_PLACE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace baton::chaos {

struct Place {
  std::string network;  // name for `ip netns`; empty: here
  std::string host;     // numeric

  bool here() const { return network.empty(); }
  // `argv`, run there. The process keeps its number.
  std::vector<std::string> Wrap(std::vector<std::string> argv) const;
};

// "NAME@10.0.0.2".
absl::StatusOr<Place> ParsePlace(absl::string_view text);

}  // namespace baton::chaos

#endif  // BATON_TESTS_CHAOS_PLACE_H_

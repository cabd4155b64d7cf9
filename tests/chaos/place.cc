#include "tests/chaos/place.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/reason.h"

namespace baton::chaos {

std::vector<std::string> Place::Wrap(std::vector<std::string> argv) const {
  if (here()) return argv;
  std::vector<std::string> words = {"/usr/bin/env", "ip", "netns", "exec", network};
  words.insert(words.end(), argv.begin(), argv.end());
  return words;
}

absl::StatusOr<Place> ParsePlace(absl::string_view text) {
  const size_t at = text.find('@');
  if (at == 0 || at == absl::string_view::npos || at + 1 == text.size()) {
    return Error(Reason::kConfig, absl::StrCat("--place: \"", text, "\" is not NAME@ADDRESS"));
  }
  return Place{std::string(text.substr(0, at)), std::string(text.substr(at + 1))};
}

}  // namespace baton::chaos

// Text from a process that may be broken, made fit for logs and protobuf strings.
#ifndef BATON_COMMON_UTF8_H_
#define BATON_COMMON_UTF8_H_

#include <string>

#include "absl/strings/string_view.h"

namespace baton {

// `text` with every byte that is not part of well-formed UTF-8, and every character that shows
// something else than what is there, replaced by '?': control characters, which a terminal obeys,
// and what turns the order of a line around or takes no place in it. (A protobuf string that is not
// UTF-8 makes the peer refuse the whole message.)
std::string CleanUtf8(absl::string_view text);

// Nothing in it would be replaced.
bool IsCleanUtf8(absl::string_view text);

}  // namespace baton

#endif  // BATON_COMMON_UTF8_H_

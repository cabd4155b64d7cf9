// Tells whoever started a program which port it took.
#ifndef BATON_ADMIN_PORT_FILE_H_
#define BATON_ADMIN_PORT_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace baton::admin {

// Writes `address` and a line's end to `path`, whole or not at all: who waits for the file never
// reads half of an address. Nothing when `path` is empty. CONFIG names `flag` and the path.
absl::Status WritePortFile(absl::string_view flag, const std::string& path,
                           absl::string_view address);

}  // namespace baton::admin

#endif  // BATON_ADMIN_PORT_FILE_H_

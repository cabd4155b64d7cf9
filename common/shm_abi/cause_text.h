// A cause as text of a fixed size: "server\0message\0". What is too long is cut between characters.
#ifndef BATON_COMMON_SHM_ABI_CAUSE_TEXT_H_
#define BATON_COMMON_SHM_ABI_CAUSE_TEXT_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace baton::shm_abi {

// At most `bytes` of `text`, without half of a UTF-8 character at the end.
absl::string_view CutText(absl::string_view text, size_t bytes);

// `out` has `bytes` bytes; all are written. The server may take a third of them.
void PutCauseText(absl::string_view server, absl::string_view message, char* out, size_t bytes);

struct CauseText {
  std::string server;
  std::string message;
};
// Believes no end that is not there.
CauseText TakeCauseText(const char* text, size_t bytes);

}  // namespace baton::shm_abi

#endif  // BATON_COMMON_SHM_ABI_CAUSE_TEXT_H_

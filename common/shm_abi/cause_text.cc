#include "common/shm_abi/cause_text.h"

#include <cstdint>
#include <cstring>

namespace baton::shm_abi {

absl::string_view CutText(absl::string_view text, size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<uint8_t>(text[bytes]) & 0xc0) == 0x80) --bytes;
  return text.substr(0, bytes);
}

void PutCauseText(absl::string_view server, absl::string_view message, char* out, size_t bytes) {
  memset(out, 0, bytes);
  // The name may take a third, so that a long one leaves room to say what happened.
  server = CutText(server, bytes / 3);
  message = CutText(message, bytes - server.size() - 2);
  memcpy(out, server.data(), server.size());
  memcpy(out + server.size() + 1, message.data(), message.size());
}

CauseText TakeCauseText(const char* text, size_t bytes) {
  const size_t server_bytes = strnlen(text, bytes - 1);
  const char* message = text + server_bytes + 1;
  const size_t message_bytes = strnlen(message, bytes - server_bytes - 1);
  return {std::string(text, server_bytes), std::string(message, message_bytes)};
}

}  // namespace baton::shm_abi

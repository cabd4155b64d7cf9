#include "common/utf8.h"

#include <cstddef>
#include <cstdint>

namespace baton {
namespace {

// Controls of the second kind (U+0080 to 9F); marks, embeddings, overrides and isolates of
// direction; what has no width; line and paragraph separators.
bool IsHidden(absl::string_view character) {
  if (character.size() == 2) {
    return (character[0] == '\xc2' && static_cast<uint8_t>(character[1]) < 0xa0) ||
           character == "\xd8\x9c";  // U+061C
  }
  if (character.size() != 3) return false;
  if (character == "\xef\xbb\xbf") return true;  // U+FEFF
  const auto last = static_cast<uint8_t>(character[2]);
  if (character[0] != '\xe2') return false;
  if (character[1] == '\x80')
    return (last >= 0x8b && last <= 0x8f) || (last >= 0xa8 && last <= 0xae);
  return character[1] == '\x81' && last >= 0xa0 && last <= 0xaf;  // U+2060 to 206F
}

// Bytes of the character that begins at `at`; 0 when none does. Overlong forms, surrogates and what
// lies above U+10FFFF are none.
size_t CharacterBytes(absl::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[at + i]); };
  const uint8_t first = byte(0);
  if (first < 0x80) return first < 0x20 || first == 0x7f ? 0 : 1;
  const size_t bytes = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() - at < bytes) return 0;
  for (size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const uint8_t second = byte(1);
  if (first == 0xe0 && second < 0xa0) return 0;
  if (first == 0xed && second > 0x9f) return 0;
  if (first == 0xf0 && second < 0x90) return 0;
  if (first == 0xf4 && second > 0x8f) return 0;
  return IsHidden(text.substr(at, bytes)) ? 0 : bytes;
}

}  // namespace

std::string CleanUtf8(absl::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const size_t bytes = CharacterBytes(text, at);
    if (bytes == 0) {
      clean.push_back('?');
      ++at;
    } else {
      clean.append(text.data() + at, bytes);
      at += bytes;
    }
  }
  return clean;
}

bool IsCleanUtf8(absl::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const size_t bytes = CharacterBytes(text, at);
    if (bytes == 0) return false;
    at += bytes;
  }
  return true;
}

}  // namespace baton

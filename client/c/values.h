// Structs of the C ABI as C++ values, and back.
#ifndef BATON_CLIENT_C_VALUES_H_
#define BATON_CLIENT_C_VALUES_H_

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/c/baton.h"
#include "client/engine/engine_client.h"

namespace baton::c {

inline std::string Text(const char* text) { return text == nullptr ? "" : text; }

// What the caller's version of a struct has, and zero for the rest.
template <typename Struct>
Struct Known(const Struct* given) {
  Struct value{};
  if (given != nullptr) {
    std::memcpy(&value, given, std::min<size_t>(given->struct_size, sizeof(Struct)));
  }
  return value;
}

// The elements of an array whose distance is the first one's struct_size. BAD_MESSAGE when a
// struct_size cannot be one: the caller forgot to set it.
template <typename Struct>
absl::StatusOr<std::vector<Struct>> KnownArray(const Struct* given, size_t count, const char* what);

absl::StatusOr<planner::ServerSpec> SpecOf(const baton_spec* spec);
absl::StatusOr<EngineOptions> OptionsOf(const baton_options* options);
// BAD_MESSAGE for a list without memory. The lists are borrowed.
absl::StatusOr<std::vector<absl::Span<const int32_t>>> PagesOf(const baton_pages* pages,
                                                               size_t count);

// Fills `error`, unless it is null, and returns the status' code. OK leaves it alone.
baton_code Fail(const absl::Status& status, baton_error* error);

// A text of at most size - 1 bytes, cut between characters.
void CopyText(const std::string& text, char* out, size_t size);

}  // namespace baton::c

#endif  // BATON_CLIENT_C_VALUES_H_

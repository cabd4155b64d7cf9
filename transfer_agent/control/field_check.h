// Remembers the first field that is out of bounds, by its path.
#ifndef BATON_TRANSFER_AGENT_CONTROL_FIELD_CHECK_H_
#define BATON_TRANSFER_AGENT_CONTROL_FIELD_CHECK_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/reason.h"

namespace baton::control {

class FieldCheck {
 public:
  explicit FieldCheck(absl::string_view path) : path_(path) {}

  void AtMost(absl::string_view field, uint64_t value, uint64_t max) {
    if (value > max) Fail(field, absl::StrCat(value, " is above ", max));
  }
  void Between(absl::string_view field, uint64_t value, uint64_t min, uint64_t max) {
    if (value < min || value > max) {
      Fail(field, absl::StrCat(value, " is outside of ", min, " to ", max));
    }
  }
  void Count(absl::string_view field, int count, int max) {
    if (count > max) Fail(field, absl::StrCat(count, " entries; at most ", max));
  }
  void Bytes(absl::string_view field, const std::string& bytes, size_t max) {
    if (bytes.size() > max) Fail(field, absl::StrCat(bytes.size(), " bytes; at most ", max));
  }
  void NotEmpty(absl::string_view field, const std::string& bytes, size_t max) {
    if (bytes.empty()) Fail(field, "is empty");
    Bytes(field, bytes, max);
  }
  void Fail(absl::string_view field, absl::string_view what) {
    if (status_.ok()) {
      status_ = Error(Reason::kBadMessage, absl::StrCat(path_, ".", field, ": ", what));
    }
  }
  // A message inside of this one, checked on its own.
  void Nested(const absl::Status& status) {
    if (status_.ok() && !status.ok()) {
      status_ = Error(Reason::kBadMessage, absl::StrCat(path_, ".", status.message()));
    }
  }
  const absl::Status& status() const { return status_; }

 private:
  absl::string_view path_;
  absl::Status status_;
};

}  // namespace baton::control

#endif  // BATON_TRANSFER_AGENT_CONTROL_FIELD_CHECK_H_

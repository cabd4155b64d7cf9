#include "admin/port_file.h"

#include <stdio.h>

#include "absl/strings/str_cat.h"
#include "common/reason.h"

namespace baton::admin {

absl::Status WritePortFile(absl::string_view flag, const std::string& path,
                           absl::string_view address) {
  if (path.empty()) return absl::OkStatus();
  const std::string partial = absl::StrCat(path, ".partial");
  const std::string line = absl::StrCat(address, "\n");
  FILE* file = fopen(partial.c_str(), "we");
  bool written = file != nullptr && fwrite(line.data(), 1, line.size(), file) == line.size();
  if (file != nullptr) written = (fclose(file) == 0) && written;
  if (written && rename(partial.c_str(), path.c_str()) == 0) return absl::OkStatus();
  return Error(Reason::kConfig, absl::StrCat("--", flag, "=", path, " cannot be written"));
}

}  // namespace baton::admin

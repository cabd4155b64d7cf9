#include "tests/demo/runner/workplace.h"

#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/reason.h"

namespace baton::demo {

namespace fs = std::filesystem;

absl::StatusOr<std::string> FindBuilt(const std::string& argv0, const std::string& path) {
  // bazel-bin/tests/demo/demo is three levels below the root of what was built.
  std::vector<std::string> places;
  std::error_code error;
  fs::path program = fs::absolute(argv0, error);
  places.push_back(program.parent_path().parent_path().parent_path() / path);
  places.push_back(program.string() + ".runfiles/baton/" + path);
  program = fs::read_symlink("/proc/self/exe", error);
  places.push_back(program.parent_path().parent_path().parent_path() / path);
  places.push_back(program.string() + ".runfiles/baton/" + path);
  for (const std::string& place : places) {
    if (fs::exists(place, error)) return place;
  }
  return absl::NotFoundError(
      absl::StrCat(path, " is not built: looked at ", absl::StrJoin(places, ", ")));
}

absl::StatusOr<Programs> FindPrograms(const std::string& argv0) {
  Programs programs;
  struct {
    const char* path;
    std::string* place;
  } const wanted[] = {
      {"bootstrap_service/app/baton-bootstrap", &programs.bootstrap},
      {"transfer_agent/app/baton-agent", &programs.agent},
      {"tests/demo/engine/demo_engine", &programs.engine},
  };
  for (const auto& program : wanted) {
    auto found = FindBuilt(argv0, program.path);
    if (!found.ok()) return found.status();
    *program.place = *found;
  }
  return programs;
}

absl::StatusOr<ScratchFolder> ScratchFolder::Make() {
  const char* parent = getenv("TMPDIR");
  // A long one leaves no room for the names of sockets.
  const bool usable = parent != nullptr && strlen(parent) <= 40;
  std::string name = std::string(usable ? parent : "/tmp") + "/baton-demo.XXXXXX";
  if (mkdtemp(name.data()) == nullptr) return SystemError("cannot make the folder " + name, errno);
  return ScratchFolder(name);
}

ScratchFolder::ScratchFolder(ScratchFolder&& other) noexcept
    : path_(std::exchange(other.path_, "")), keep_(other.keep_) {}

ScratchFolder::~ScratchFolder() {
  std::error_code error;
  if (!path_.empty() && !keep_) fs::remove_all(path_, error);
}

absl::StatusOr<std::string> ScratchFolder::MakeInside(const std::string& name) const {
  std::error_code error;
  std::string path = path_ + "/" + name;
  fs::create_directory(path, error);
  if (error) return SystemError("cannot make " + path, error.value());
  return path;
}

}  // namespace baton::demo

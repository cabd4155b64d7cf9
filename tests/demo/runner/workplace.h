// Where the demo finds its programs and keeps its sockets and logs.
#ifndef BATON_TESTS_DEMO_RUNNER_WORKPLACE_H_
#define BATON_TESTS_DEMO_RUNNER_WORKPLACE_H_

#include <string>

#include "absl/status/statusor.h"

namespace baton::demo {

// A file of the build by its path from the root ("tests/demo/engine/demo_engine"), found beside the
// program `argv0` or in its runfiles. NOT_FOUND says where it was looked for.
absl::StatusOr<std::string> FindBuilt(const std::string& argv0, const std::string& path);

struct Programs {
  std::string bootstrap;
  std::string agent;
  std::string engine;
  std::string remote;  // stands in for a program on another host
};

// All but the last.
absl::StatusOr<Programs> FindPrograms(const std::string& argv0);

// A fresh folder with a short name (a Unix socket's path has 107 bytes at most), removed with all
// that is in it unless it is kept.
class ScratchFolder {
 public:
  static absl::StatusOr<ScratchFolder> Make();
  ScratchFolder(ScratchFolder&& other) noexcept;
  ScratchFolder& operator=(ScratchFolder&&) = delete;
  ~ScratchFolder();

  const std::string& path() const { return path_; }
  // A new folder inside.
  absl::StatusOr<std::string> MakeInside(const std::string& name) const;
  void Keep() { keep_ = true; }

 private:
  explicit ScratchFolder(std::string path) : path_(std::move(path)) {}

  std::string path_;
  bool keep_ = false;
};

}  // namespace baton::demo

#endif  // BATON_TESTS_DEMO_RUNNER_WORKPLACE_H_

// A process that the demo starts: its output goes to a log file, and it dies with the demo whatever
// happens to it.
#ifndef BATON_TESTS_DEMO_RUNNER_CHILD_H_
#define BATON_TESTS_DEMO_RUNNER_CHILD_H_

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace baton::demo {

struct ChildOptions {
  std::string name;               // for errors
  std::vector<std::string> argv;  // argv[0] is the path
  std::string log_path;
  int inherited_fd = -1;  // becomes descriptor 3
};

// Thread-compatible. Start from the main thread: the kernel ends the child with the thread that
// started it.
class Child {
 public:
  static absl::StatusOr<std::unique_ptr<Child>> Start(const ChildOptions& options);
  // Kills it if need be.
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  const std::string& name() const { return name_; }
  pid_t pid() const { return pid_; }
  bool Running();
  // "ended with status 2", "was ended by signal 9", "is running".
  std::string State();
  void Terminate();
  // Waits for it to end; kills it at the deadline.
  void Reap(std::chrono::steady_clock::time_point deadline);
  // Last lines of its log.
  std::string LogTail(size_t lines) const;

 private:
  Child(std::string name, std::string log_path, pid_t pid)
      : name_(std::move(name)), log_path_(std::move(log_path)), pid_(pid) {}

  const std::string name_;
  const std::string log_path_;
  const pid_t pid_;
  bool ended_ = false;
  int wait_status_ = 0;
};

}  // namespace baton::demo

#endif  // BATON_TESTS_DEMO_RUNNER_CHILD_H_

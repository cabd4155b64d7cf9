#include "tests/demo/runner/child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <deque>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/reason.h"
#include "common/unique_fd.h"
#include "tests/demo/runner/pause.h"

namespace baton::demo {
namespace {

// Between fork and exec: only what is safe there.
[[noreturn]] void BecomeChild(const std::vector<char*>& argv, int log_fd, int inherited_fd,
                              pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(126);  // it ended before the line above
  // A terminal's Ctrl-C is for the demo, which ends its children in order.
  setpgid(0, 0);
  int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  dup2(null_fd, 0);
  dup2(log_fd, 1);
  dup2(log_fd, 2);
  if (inherited_fd == 3) fcntl(3, F_SETFD, 0);
  if (inherited_fd >= 0 && inherited_fd != 3) dup2(inherited_fd, 3);
  execv(argv[0], argv.data());
  dprintf(2, "cannot run %s: %s\n", argv[0], strerror(errno));
  _exit(127);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Child>> Child::Start(const ChildOptions& options) {
  UniqueFd log(open(options.log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!log) return SystemError(absl::StrCat("cannot write ", options.log_path), errno);
  std::vector<char*> argv;
  for (const std::string& arg : options.argv) argv.push_back(const_cast<char*>(arg.c_str()));
  argv.push_back(nullptr);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) return SystemError(absl::StrCat("cannot start ", options.name), errno);
  if (pid == 0) BecomeChild(argv, log.get(), options.inherited_fd, parent);
  return std::unique_ptr<Child>(new Child(options.name, options.log_path, pid));
}

Child::~Child() {
  if (Running()) kill(pid_, SIGKILL);
  Reap(std::chrono::steady_clock::now() + std::chrono::seconds(5));
}

bool Child::Running() {
  if (ended_) return false;
  if (waitpid(pid_, &wait_status_, WNOHANG) == pid_) ended_ = true;
  return !ended_;
}

std::string Child::State() {
  if (Running()) return "is running";
  if (WIFEXITED(wait_status_)) {
    return absl::StrCat("ended with status ", WEXITSTATUS(wait_status_));
  }
  return absl::StrCat("was ended by signal ", WTERMSIG(wait_status_));
}

void Child::Terminate() {
  if (Running()) kill(pid_, SIGTERM);
}

void Child::Reap(std::chrono::steady_clock::time_point deadline) {
  while (Running()) {
    if (std::chrono::steady_clock::now() >= deadline) {
      kill(pid_, SIGKILL);
      if (waitpid(pid_, &wait_status_, 0) == pid_) ended_ = true;
      return;
    }
    Pause(std::chrono::milliseconds(2));
  }
}

std::string Child::LogTail(size_t lines) const {
  std::ifstream log(log_path_);
  std::deque<std::string> tail;
  std::string line;
  while (std::getline(log, line)) {
    tail.push_back(line);
    if (tail.size() > lines) tail.pop_front();
  }
  return absl::StrJoin(tail, "\n");
}

}  // namespace baton::demo

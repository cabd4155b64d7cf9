// The other end of a transport in a process of its own, to be killed or stopped.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_CONFORMANCE_CHILD_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_CONFORMANCE_CHILD_H_

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "absl/functional/function_ref.h"
#include "common/log.h"

namespace baton::transport {

inline void SendMessage(int fd, const std::string& message) {
  CHECK_EQ(send(fd, message.data(), message.size(), MSG_NOSIGNAL),
           static_cast<ssize_t>(message.size()));
}

inline std::string ReceiveMessage(int fd) {
  char buffer[4096];
  const ssize_t n = recv(fd, buffer, sizeof(buffer), 0);
  CHECK_GT(n, 0);
  return std::string(buffer, n);
}

// Killed at the end of the test.
class Child {
 public:
  // `run` gets the child's end of a packet socket and does not return.
  explicit Child(absl::FunctionRef<void(int fd)> run) {
    int fds[2];
    CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
    pid_ = fork();
    CHECK_GE(pid_, 0);
    if (pid_ == 0) {
      close(fds[0]);
      run(fds[1]);
    }
    close(fds[1]);
    fd_ = fds[0];
  }
  Child(const Child&) = delete;
  ~Child() {
    Signal(SIGKILL);
    waitpid(pid_, nullptr, 0);
    close(fd_);
  }

  int fd() const { return fd_; }
  bool HasMessage() const {
    pollfd state{.fd = fd_, .events = POLLIN, .revents = 0};
    return poll(&state, 1, 0) > 0;
  }
  void Signal(int number) { kill(pid_, number); }
  bool HasEnded() {
    siginfo_t info{};
    return waitid(P_PID, pid_, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid_;
  }
  // Returns when it is stopped.
  void Stop() {
    Signal(SIGSTOP);
    int status = 0;
    CHECK_EQ(waitpid(pid_, &status, WUNTRACED), pid_);
    CHECK(WIFSTOPPED(status));
  }

 private:
  pid_t pid_ = 0;
  int fd_ = -1;
};

}  // namespace baton::transport

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_CONFORMANCE_CHILD_H_

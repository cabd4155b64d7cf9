// Runs programs for a demo on another host: demo_remote there names them and stands in for them.
//
//   demo_host --listen=10.0.0.2:7000 --folder=/run/x    (port 0: prints the one that it got)
//
// Programs start in that folder. One ends when its demo_remote does. Only for tests: whoever can
// reach the port can run anything.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/log.h"
#include "tests/demo/link/packet.h"
#include "tests/demo/remote/frame.h"
#include "tests/demo/runner/pause.h"

namespace baton::demo {
namespace {

struct Program {
  pid_t pid = -1;
  UniqueFd control;  // the other end is its descriptor 3
  UniqueFd output;
};

// Between fork and exec: only what is safe there.
[[noreturn]] void Become(const std::vector<char*>& argv, int control, int output, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(126);
  dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), 0);
  dup2(output, 1);
  dup2(output, 2);
  // 3 might be the very descriptor.
  dup2(fcntl(control, F_DUPFD_CLOEXEC, 10), 3);
  execv(argv[0], argv.data());
  dprintf(2, "cannot run %s: %s\n", argv[0], strerror(errno));
  _exit(127);
}

Program Start(const std::vector<std::string>& words) {
  auto ends = MakePacketPair(std::chrono::milliseconds(10000));
  int pipe_ends[2];
  CHECK(ends.ok() && pipe2(pipe_ends, O_CLOEXEC) == 0) << ends.status();
  UniqueFd write_end(pipe_ends[1]);
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  Program program;
  program.output.Reset(pipe_ends[0]);
  program.control = std::move(ends->first);
  const pid_t parent = getpid();
  program.pid = fork();
  CHECK_GE(program.pid, 0);
  if (program.pid == 0) Become(argv, ends->second.get(), write_end.get(), parent);
  return program;
}

int Reap(pid_t pid) {
  kill(pid, SIGTERM);
  int status = 0;
  for (int tries = 0; tries < 300; ++tries) {
    if (waitpid(pid, &status, WNOHANG) == pid) return status;
    Pause(std::chrono::milliseconds(10));
  }
  kill(pid, SIGKILL);
  waitpid(pid, &status, 0);
  return status;
}

// Carries one direction on; false at its end.
bool ForwardPacket(Program* program, int peer) {
  std::string bytes(kPacketMax, '\0');
  ssize_t size = recv(program->control.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (size < 0) return errno == EAGAIN;
  if (size == 0) return false;
  return SendFrame(peer, FrameKind::kPacket, absl::string_view(bytes.data(), size)).ok();
}

bool ForwardOutput(Program* program, int peer) {
  char bytes[4096];
  ssize_t size = read(program->output.get(), bytes, sizeof(bytes));
  if (size <= 0) return false;
  return SendFrame(peer, FrameKind::kOutput, absl::string_view(bytes, size)).ok();
}

bool ForwardFrame(Program* program, int peer) {
  absl::StatusOr<Frame> frame = ReceiveFrame(peer);
  if (!frame.ok() || frame->kind != FrameKind::kPacket) return false;
  return send(program->control.get(), frame->bytes.data(), frame->bytes.size(), MSG_NOSIGNAL) >= 0;
}

// Until the program has closed its output, which it does by ending, or its demo_remote is gone.
void Serve(const std::vector<std::string>& words, int peer) {
  Program program = Start(words);
  bool control_open = true;
  while (true) {
    pollfd fds[3] = {{peer, POLLIN, 0},
                     {program.output.get(), POLLIN, 0},
                     {control_open ? program.control.get() : -1, POLLIN, 0}};
    if (poll(fds, 3, -1) < 0) continue;
    if (fds[2].revents != 0) control_open = ForwardPacket(&program, peer);
    if (fds[1].revents != 0 && !ForwardOutput(&program, peer)) break;
    if (fds[0].revents != 0 && !ForwardFrame(&program, peer)) break;
  }
  int status = Reap(program.pid);
  int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  if (!SendFrame(peer, FrameKind::kExit, absl::StrCat(code)).ok()) return;
}

// Each program has a process of its own that serves it.
int Run(const std::string& listen_address, const std::string& folder) {
  auto listener = ListenOn(listen_address);
  if (!listener.ok() || (!folder.empty() && chdir(folder.c_str()) != 0)) {
    std::fprintf(stderr, "demo_host: %s\n",
                 listener.ok() ? folder.c_str() : listener.status().ToString().c_str());
    return 1;
  }
  std::printf("%s\n", AddressOf(listener->get())->c_str());
  std::fflush(stdout);
  while (true) {
    UniqueFd peer(accept4(listener->get(), nullptr, nullptr, SOCK_CLOEXEC));
    while (waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    if (!peer) continue;
    SetTimeouts(peer.get());
    absl::StatusOr<Frame> frame = ReceiveFrame(peer.get());
    if (!frame.ok()) continue;
    if (frame->kind == FrameKind::kQuit) break;
    if (frame->kind != FrameKind::kRun || frame->bytes.empty()) continue;
    if (fork() == 0) {
      listener->Reset();
      Serve(SplitWords(frame->bytes), peer.get());
      _exit(0);
    }
  }
  while (waitpid(-1, nullptr, 0) > 0) {
  }
  return 0;
}

}  // namespace
}  // namespace baton::demo

int main(int argc, char** argv) {
  baton::InitLog(argv[0]);
  std::string listen;
  std::string folder;
  for (int i = 1; i < argc; ++i) {
    absl::string_view arg = argv[i];
    if (absl::ConsumePrefix(&arg, "--listen=")) {
      listen = std::string(arg);
    } else if (absl::ConsumePrefix(&arg, "--folder=")) {
      folder = std::string(arg);
    }
  }
  return baton::demo::Run(listen, folder);
}

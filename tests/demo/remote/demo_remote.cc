// Stands in for a program that demo_host runs on another host: passes on what it prints and the
// packets of descriptor 3 with --control, and ends as it did. Its own end is the program's.
//
//   demo_remote --to=10.0.0.2:7000 [--control] PROGRAM ARG...
//   demo_remote --to=10.0.0.2:7000 --quit            (ends demo_host itself)
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"
#include "tests/demo/link/packet.h"
#include "tests/demo/remote/frame.h"

namespace baton::demo {
namespace {

constexpr int kControl = 3;

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "demo_remote: %s\n", std::string(status.message()).c_str());
  return 1;
}

// False at the end of the control socket: the demo has let go of the program.
bool ForwardPacket(int host) {
  std::string bytes(kPacketMax, '\0');
  ssize_t size = recv(kControl, bytes.data(), bytes.size(), 0);
  if (size <= 0) return false;
  return SendFrame(host, FrameKind::kPacket, absl::string_view(bytes.data(), size)).ok();
}

// The program's exit status once it has one.
int Relay(int host, bool has_control) {
  while (true) {
    pollfd fds[2] = {{host, POLLIN, 0}, {has_control ? kControl : -1, POLLIN, 0}};
    if (poll(fds, 2, -1) < 0) continue;
    if (fds[1].revents != 0 && !ForwardPacket(host)) return 0;
    if (fds[0].revents == 0) continue;
    absl::StatusOr<Frame> frame = ReceiveFrame(host);
    if (!frame.ok()) return Fail(frame.status());
    const std::string& bytes = frame->bytes;
    int code = 1;
    if (frame->kind == FrameKind::kExit) return absl::SimpleAtoi(bytes, &code) ? code : 1;
    const bool is_packet = frame->kind == FrameKind::kPacket;
    ssize_t passed = is_packet ? send(kControl, bytes.data(), bytes.size(), MSG_NOSIGNAL)
                               : write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (passed < 0) return 1;
  }
}

int Run(const std::string& to, bool has_control, const std::vector<std::string>& words) {
  auto host = DialHost(to);
  if (!host.ok()) return Fail(host.status());
  absl::Status sent = words.empty() ? SendFrame(host->get(), FrameKind::kQuit, "")
                                    : SendFrame(host->get(), FrameKind::kRun, JoinWords(words));
  if (!sent.ok()) return Fail(sent);
  return words.empty() ? 0 : Relay(host->get(), has_control);
}

}  // namespace
}  // namespace baton::demo

int main(int argc, char** argv) {
  std::string to;
  bool has_control = false;
  bool quit = false;
  int next = 1;
  for (; next < argc; ++next) {
    absl::string_view arg = argv[next];
    if (absl::ConsumePrefix(&arg, "--to=")) {
      to = std::string(arg);
    } else if (arg == "--control") {
      has_control = true;
    } else if (arg == "--quit") {
      quit = true;
    } else {
      break;
    }
  }
  if (to.empty() || quit != (next == argc)) {
    std::fprintf(stderr, "demo_remote --to=HOST:PORT ([--control] PROGRAM ARG... | --quit)\n");
    return 2;
  }
  return baton::demo::Run(to, has_control, std::vector<std::string>(argv + next, argv + argc));
}

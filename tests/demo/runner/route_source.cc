#include "tests/demo/runner/route_source.h"

#include <poll.h>
#include <sys/socket.h>

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/router/router_client.h"
#include "common/clock.h"
#include "common/reason.h"
#include "common/unique_fd.h"
#include "tests/demo/runner/child.h"

namespace baton::demo {
namespace {

// Servers are ready when a run begins; a watch that has to come back takes less than this.
constexpr std::chrono::milliseconds kTimeout{15000};
constexpr size_t kLineMax = 4096;
constexpr size_t kTailLines = 15;

class InProcess : public RouteSource {
 public:
  explicit InProcess(const RouteSourceOptions& options) : model_(options.model) {
    RouterOptions routing;
    routing.bootstrap_address = options.bootstrap;
    client_ = MakeRouterClient(routing);
  }

  absl::StatusOr<PickedRoute> Pick() override {
    PickRequest request;
    request.model = model_;
    absl::StatusOr<Route> route = client_->PickWithin(request, kTimeout);
    if (!route.ok()) return route.status();
    return PickedRoute{route->room, route->prefill.server->name(), route->prefill.dp,
                       route->decode.server->name(), route->decode.dp};
  }

 private:
  const std::string model_;
  std::unique_ptr<RouterClient> client_;
};

class Program : public RouteSource {
 public:
  Program(std::string model, UniqueFd socket, std::unique_ptr<Child> child)
      : model_(std::move(model)), socket_(std::move(socket)), child_(std::move(child)) {}

  absl::StatusOr<PickedRoute> Pick() override {
    const std::string question = model_ + "\n";
    if (send(socket_.get(), question.data(), question.size(), MSG_NOSIGNAL) < 0) return Ended();
    std::string line;
    const TimePoint deadline = Monotonic::now() + kTimeout;
    while (line.empty() || line.back() != '\n') {
      pollfd answered{socket_.get(), POLLIN, 0};
      poll(&answered, 1, static_cast<int>(MillisLeft(deadline, Monotonic::now())));
      if (Monotonic::now() >= deadline) {
        return Error(Reason::kDeadline, absl::StrCat(child_->name(), " did not answer"));
      }
      char piece[512];
      const ssize_t size = recv(socket_.get(), piece, sizeof(piece), MSG_DONTWAIT);
      if (size == 0) return Ended();
      if (size > 0) line.append(piece, size);
      if (line.size() > kLineMax) return Error(Reason::kBadMessage, child_->name() + " babbles");
    }
    line.pop_back();
    return ParseRoute(line);
  }

 private:
  absl::Status Ended() const {
    return Error(Reason::kSystem, absl::StrCat(child_->name(), " ended; the end of its log:\n",
                                               child_->LogTail(kTailLines)));
  }

  const std::string model_;
  const UniqueFd socket_;
  const std::unique_ptr<Child> child_;
};

}  // namespace

absl::StatusOr<PickedRoute> ParseRoute(const std::string& line) {
  if (absl::StartsWith(line, "error ")) return Error(Reason::kNotReady, line.substr(6));
  const std::vector<std::string> words = absl::StrSplit(line, ' ');
  PickedRoute route;
  const bool good = words.size() == 6 && absl::SimpleAtoi(words[0], &route.room.id) &&
                    absl::SimpleAtoi(words[1], &route.room.nonce) && !words[2].empty() &&
                    absl::SimpleAtoi(words[3], &route.prefill_dp) && !words[4].empty() &&
                    absl::SimpleAtoi(words[5], &route.decode_dp);
  if (!good) return Error(Reason::kBadMessage, absl::StrCat("the router said \"", line, "\""));
  route.prefill = words[2];
  route.decode = words[4];
  return route;
}

absl::StatusOr<std::unique_ptr<RouteSource>> MakeRouteSource(const RouteSourceOptions& options) {
  if (options.program.empty()) return std::make_unique<InProcess>(options);
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) {
    return SystemError("socketpair", errno);
  }
  UniqueFd mine(fds[0]);
  UniqueFd theirs(fds[1]);
  // The descriptor that a child inherits becomes its standard input and output.
  auto child = Child::Start({"the router " + options.program,
                             {"/bin/sh", "-c", "exec \"$@\" <&3 >&3 3>&-", "router",
                              options.program, "--bootstrap=" + options.bootstrap},
                             options.log_path,
                             theirs.get()});
  if (!child.ok()) return child.status();
  return std::make_unique<Program>(options.model, std::move(mine), *std::move(child));
}

}  // namespace baton::demo

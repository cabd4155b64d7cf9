#include "transfer_agent/checks/network.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include <future>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/clock.h"
#include "common/reason.h"
#include "common/unique_fd.h"

namespace baton::checks {
namespace {

struct Resolved {
  int error = 0;  // of getaddrinfo
  sockaddr_storage address = {};
  socklen_t length = 0;
};

Resolved ResolveNow(const std::string& host, const std::string& port) {
  Resolved resolved;
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  resolved.error = getaddrinfo(host.c_str(), port.empty() ? nullptr : port.c_str(), &hints, &found);
  if (resolved.error == 0) {
    memcpy(&resolved.address, found->ai_addr, found->ai_addrlen);
    resolved.length = found->ai_addrlen;
    freeaddrinfo(found);
  }
  return resolved;
}

std::future<Resolved> BeginToResolve(const std::string& host, const std::string& port) {
  auto answer = std::make_shared<std::promise<Resolved>>();
  std::future<Resolved> future = answer->get_future();
  std::thread([answer, host, port] { answer->set_value(ResolveNow(host, port)); }).detach();
  return future;
}

absl::Status Explain(const std::string& host, const Resolved& resolved) {
  if (resolved.error == 0) return absl::OkStatus();
  return Error(Reason::kConfig,
               absl::StrCat("'", host, "' does not resolve: ", gai_strerror(resolved.error)));
}

absl::Status TooSlow(const std::string& host, std::chrono::milliseconds limit) {
  return Error(Reason::kDeadline, absl::StrCat("the resolver did not answer for '", host, "' in ",
                                               limit.count(), " ms"));
}

// A connection that is being made.
struct Attempt {
  UniqueFd fd;
  absl::Status status;
  bool done = false;
};

absl::Status ConnectError(int error) {
  return Error(Reason::kPeerLost, error == ETIMEDOUT ? "no answer" : strerror(error));
}

void Begin(const Resolved& resolved, Attempt* attempt) {
  attempt->fd =
      UniqueFd(socket(resolved.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const auto* address = reinterpret_cast<const sockaddr*>(&resolved.address);
  if (!attempt->fd) {
    attempt->status = SystemError("socket", errno);
  } else if (connect(attempt->fd.get(), address, resolved.length) != 0 && errno != EINPROGRESS) {
    attempt->status = ConnectError(errno);
  } else {
    return;
  }
  attempt->done = true;
}

// What the kernel knows of it now.
void Look(Attempt* attempt) {
  int error = 0;
  socklen_t size = sizeof(error);
  getsockopt(attempt->fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) attempt->status = ConnectError(error);
  attempt->done = true;
}

void WaitForAll(std::vector<Attempt>& attempts, TimePoint until) {
  while (true) {
    std::vector<pollfd> fds;
    std::vector<Attempt*> waiting;
    for (Attempt& attempt : attempts) {
      if (attempt.done) continue;
      fds.push_back({attempt.fd.get(), POLLOUT, 0});
      waiting.push_back(&attempt);
    }
    const int left = static_cast<int>(MillisLeft(until, Monotonic::now(), 60000));
    if (waiting.empty() || left == 0) break;
    if (poll(fds.data(), fds.size(), left) <= 0) continue;
    for (size_t i = 0; i < fds.size(); ++i) {
      if (fds[i].revents != 0) Look(waiting[i]);
    }
  }
  for (Attempt& attempt : attempts) {
    if (!attempt.done) attempt.status = ConnectError(ETIMEDOUT);
  }
}

}  // namespace

std::pair<std::string, std::string> SplitHostPort(const std::string& address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos) return {address, ""};
  std::string host = address.substr(0, colon);
  if (host.size() > 1 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  return {host, address.substr(colon + 1)};
}

absl::Status ResolveName(const std::string& name, std::chrono::milliseconds limit) {
  std::future<Resolved> answer = BeginToResolve(name, "");
  if (answer.wait_for(limit) != std::future_status::ready) return TooSlow(name, limit);
  return Explain(name, answer.get());
}

std::vector<absl::Status> ConnectToAll(absl::Span<const std::string> addresses,
                                       std::chrono::milliseconds limit) {
  const TimePoint until = Monotonic::now() + limit;
  std::vector<std::future<Resolved>> resolving;
  for (const std::string& address : addresses) {
    const auto [host, port] = SplitHostPort(address);
    resolving.push_back(BeginToResolve(host, port));
  }
  std::vector<Attempt> attempts(addresses.size());
  for (size_t i = 0; i < addresses.size(); ++i) {
    const std::string host = SplitHostPort(addresses[i]).first;
    if (resolving[i].wait_until(until) != std::future_status::ready) {
      attempts[i].status = TooSlow(host, limit);
      attempts[i].done = true;
      continue;
    }
    const Resolved resolved = resolving[i].get();
    attempts[i].status = Explain(host, resolved);
    attempts[i].done = !attempts[i].status.ok();
    if (!attempts[i].done) Begin(resolved, &attempts[i]);
  }
  WaitForAll(attempts, until);
  std::vector<absl::Status> statuses;
  for (Attempt& attempt : attempts) statuses.push_back(std::move(attempt.status));
  return statuses;
}

}  // namespace baton::checks

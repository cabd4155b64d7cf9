#include "transfer_agent/transport/stream/listener.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "common/reason.h"

namespace baton::transport {
namespace {

constexpr int kAcceptsPerCall = 16;

// In a time that does not depend on where they differ.
bool SameToken(const Token& a, const Token& b) {
  std::byte difference{0};
  for (size_t i = 0; i < a.size(); ++i) difference |= a[i] ^ b[i];
  return difference == std::byte{0};
}

uint64_t BeginningOf(const Token& token) {
  uint64_t beginning;
  static_assert(kTokenBytes >= 2 * sizeof(beginning));
  std::memcpy(&beginning, token.data(), sizeof(beginning));
  return beginning;
}

}  // namespace

Listener::Listener(UniqueFd fd, int epoll_fd, Duration patience)
    : fd_(std::move(fd)), epoll_fd_(epoll_fd), patience_(patience) {}

absl::StatusOr<Token> Listener::Expect(ChannelId channel) {
  Token token;
  if (getrandom(token.data(), token.size(), 0) != static_cast<ssize_t>(token.size())) {
    return SystemError("getrandom", errno);
  }
  if (!expected_.try_emplace(BeginningOf(token), channel, token).second) {
    return Error(Reason::kSystem, "getrandom gave the same bytes twice");
  }
  beginnings_[channel] = BeginningOf(token);
  return token;
}

void Listener::Forget(ChannelId channel) {
  auto it = beginnings_.find(channel);
  if (it == beginnings_.end()) return;
  expected_.erase(it->second);
  beginnings_.erase(it);
}

void Listener::AcceptAll(TimePoint now) {
  for (int i = 0; i < kAcceptsPerCall; ++i) {
    UniqueFd fd(accept4(fd_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd) return;
    if (strangers_.size() == kStrangersMax) {
      strangers_.pop_front();
      ++refused_;
    }
    const uint64_t number = ++last_number_;
    epoll_event event{};
    event.events = EPOLLIN | EPOLLRDHUP;
    event.data.u64 = kStrangerBit | number;
    if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd.get(), &event) != 0) continue;
    strangers_.push_back({.number = number,
                          .fd = std::move(fd),
                          .deadline = now + patience_,
                          .hello = {},
                          .filled = 0});
  }
}

std::optional<Listener::Greeted> Listener::Hear(uint64_t number) {
  auto it = std::find_if(strangers_.begin(), strangers_.end(),
                         [number](const Stranger& s) { return s.number == number; });
  if (it == strangers_.end()) return std::nullopt;
  const ssize_t n = recv(it->fd.get(), it->hello.data() + it->filled, it->hello.size() - it->filled,
                         MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return std::nullopt;
  if (n > 0) it->filled += n;
  if (n > 0 && it->filled < it->hello.size()) return std::nullopt;

  // Whatever it is, it stops being a stranger.
  Stranger stranger = std::move(*it);
  strangers_.erase(it);
  if (n > 0) {
    absl::StatusOr<Token> token = ParseHello(stranger.hello);
    std::optional<ChannelId> channel = token.ok() ? Take(*token) : std::nullopt;
    if (channel.has_value()) {
      epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, stranger.fd.get(), nullptr);
      return Greeted{*channel, std::move(stranger.fd)};
    }
  }
  ++refused_;
  return std::nullopt;
}

std::optional<ChannelId> Listener::Take(const Token& token) {
  auto it = expected_.find(BeginningOf(token));
  if (it == expected_.end() || !SameToken(token, it->second.second)) return std::nullopt;
  const ChannelId found = it->second.first;
  Forget(found);
  return found;
}

void Listener::Expire(TimePoint now) {
  while (!strangers_.empty() && strangers_.front().deadline <= now) {
    strangers_.pop_front();
    ++refused_;
  }
}

std::optional<TimePoint> Listener::NextExpiry() const {
  if (strangers_.empty()) return std::nullopt;
  return strangers_.front().deadline;
}

}  // namespace baton::transport

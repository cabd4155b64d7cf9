#include "common/connection_quota.h"

#include <sys/stat.h>

#include <optional>

namespace baton {
namespace {

constexpr auto kSweepPeriod = std::chrono::milliseconds(100);

std::optional<uint64_t> InodeOf(int fd) {
  struct stat file = {};
  if (fstat(fd, &file) != 0 || !S_ISSOCK(file.st_mode)) return std::nullopt;
  return file.st_ino;
}

}  // namespace

bool ConnectionQuota::HasRoom(const std::string& peer, TimePoint now) {
  if (IsFull(peer) && swept_ + kSweepPeriod <= now) {
    swept_ = now;
    Sweep();
  }
  return !IsFull(peer);
}

bool ConnectionQuota::Add(int fd, const std::string& peer) {
  const auto inode = InodeOf(fd);
  if (!inode.has_value()) return false;
  Held& held = held_[fd];
  // The descriptor's former connection has ended without a word to anyone here.
  if (!held.peer.empty()) Leave(held.peer);
  held = {*inode, peer};
  ++of_peer_[peer];
  return true;
}

bool ConnectionQuota::IsFull(const std::string& peer) const {
  const auto it = of_peer_.find(peer);
  return held_.size() >= limits_.all || (it != of_peer_.end() && it->second >= limits_.of_peer);
}

void ConnectionQuota::Sweep() {
  for (auto it = held_.begin(); it != held_.end();) {
    if (InodeOf(it->first) == it->second.inode) {
      ++it;
      continue;
    }
    Leave(it->second.peer);
    it = held_.erase(it);
  }
}

void ConnectionQuota::Leave(const std::string& peer) {
  const auto it = of_peer_.find(peer);
  if (--it->second == 0) of_peer_.erase(it);
}

}  // namespace baton

#include "transfer_agent/attach/attached_rank.h"

#include <sys/socket.h>

namespace baton::attach {

// Closing would not do: the attach server holds the same socket.
void ConnectionEnd::Link::Step() {
  if (steps_.fetch_add(1) == 1) shutdown(fd_.get(), SHUT_RDWR);
}

void ConnectionEnd::Reset() {
  if (link_ != nullptr) link_->RankGone();
  link_.reset();
}

ConnectionEnd& ConnectionEnd::operator=(ConnectionEnd&& other) noexcept {
  if (this != &other) {
    Reset();
    link_ = std::move(other.link_);
  }
  return *this;
}

}  // namespace baton::attach

// What a PeerLinks reported, for tests. Checks the order that peer_links.h promises as it records.
#ifndef BATON_TRANSFER_AGENT_CONTROL_RECORDER_H_
#define BATON_TRANSFER_AGENT_CONTROL_RECORDER_H_

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/mutex.h"
#include "transfer_agent/control/peer_links.h"

namespace baton::control {

class Recorder : public PeerEvents {
 public:
  struct Peer {
    PeerInfo info;
    bool down = false;
    absl::Status cause;
    std::vector<v1::Frame> frames[2];  // by Index(priority)
  };

  void OnPeerUp(const PeerInfo& peer) override {
    MutexLock lock(&mu_);
    EXPECT_EQ(peers_.count(peer.id), 0u) << "up twice";
    peers_[peer.id].info = peer;
    order_.push_back(peer.id);
  }
  void OnPeerDown(PeerId peer, const absl::Status& cause) override {
    MutexLock lock(&mu_);
    ASSERT_EQ(peers_.count(peer), 1u) << "down without up";
    EXPECT_FALSE(peers_[peer].down) << "down twice";
    peers_[peer].down = true;
    peers_[peer].cause = cause;
  }
  void OnDialFailed(const std::string& address, const absl::Status& cause) override {
    MutexLock lock(&mu_);
    dial_failures_.emplace_back(address, cause);
  }
  void OnFrame(PeerId peer, Priority priority, v1::Frame frame) override {
    MutexLock lock(&mu_);
    ASSERT_EQ(peers_.count(peer), 1u) << "a frame before up";
    EXPECT_FALSE(peers_[peer].down) << "a frame after down";
    peers_[peer].frames[Index(priority)].push_back(std::move(frame));
  }
  void OnBadFrame(PeerId peer, const v1::Frame& frame, const absl::Status& cause) override {
    MutexLock lock(&mu_);
    ASSERT_EQ(peers_.count(peer), 1u) << "a frame before up";
    EXPECT_FALSE(peers_[peer].down) << "a frame after down";
    bad_frames_.emplace_back(frame, cause);
  }

  size_t up_count() const {
    MutexLock lock(&mu_);
    return order_.size();
  }
  // The n-th peer that came up, as it is now.
  Peer peer(size_t n) const {
    MutexLock lock(&mu_);
    return peers_.at(order_.at(n));
  }
  PeerId id(size_t n) const {
    MutexLock lock(&mu_);
    return order_.at(n);
  }
  size_t frame_count(size_t n, Priority priority) const {
    MutexLock lock(&mu_);
    return n < order_.size() ? peers_.at(order_[n]).frames[Index(priority)].size() : 0;
  }
  bool down(size_t n) const {
    MutexLock lock(&mu_);
    return n < order_.size() && peers_.at(order_[n]).down;
  }
  std::vector<std::pair<std::string, absl::Status>> dial_failures() const {
    MutexLock lock(&mu_);
    return dial_failures_;
  }
  std::vector<std::pair<v1::Frame, absl::Status>> bad_frames() const {
    MutexLock lock(&mu_);
    return bad_frames_;
  }

 private:
  mutable Mutex mu_;
  std::map<PeerId, Peer> peers_ ABSL_GUARDED_BY(mu_);
  std::vector<PeerId> order_ ABSL_GUARDED_BY(mu_);
  std::vector<std::pair<std::string, absl::Status>> dial_failures_ ABSL_GUARDED_BY(mu_);
  std::vector<std::pair<v1::Frame, absl::Status>> bad_frames_ ABSL_GUARDED_BY(mu_);
};

}  // namespace baton::control

#endif  // BATON_TRANSFER_AGENT_CONTROL_RECORDER_H_

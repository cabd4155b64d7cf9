// The end that is written to.
#include <map>
#include <utility>

#include "client/ctl/bench/bench.h"
#include "common/reason.h"

namespace baton::ctl {
namespace {

class Target final : public BenchEnd {
 public:
  Target(UniqueFd socket, transport::verbs::Wishes wishes)
      : BenchEnd(std::move(socket)), wishes_(std::move(wishes)) {}

  absl::Status Run() {
    absl::Status status = RunUntil([this] { return over_; });
    // The source leaves when it has what it wants.
    if (status.ok() || (ReasonOf(status) == Reason::kPeerLost && began_)) return absl::OkStatus();
    v1::BenchFrame frame;
    frame.set_failed(std::string(status.message()));
    Send(frame).IgnoreError();
    return status;
  }

 private:
  absl::Status OnFrame(const v1::BenchFrame& frame) override {
    switch (frame.body_case()) {
      case v1::BenchFrame::kHello:
        return Begin(frame.hello());
      case v1::BenchFrame::kChannelOpen:
        return Accept(frame.channel_open());
      case v1::BenchFrame::kRoom:
        return Open(frame.room());
      default:
        return Error(Reason::kBadMessage, "a message that no source sends");
    }
  }

  absl::Status Begin(const v1::BenchHello& hello) {
    if (std::exchange(began_, true)) return Error(Reason::kBadMessage, "a second hello");
    shape_ = {hello.transport(), hello.page_bytes(), hello.pages()};
    if (absl::Status status = SetUp(shape_, wishes_, /*target=*/true); !status.ok()) return status;
    v1::BenchFrame frame;
    frame.mutable_ready()->set_memory_key(memory_.key);
    return Send(frame);
  }

  absl::Status Accept(const std::string& data) {
    if (transport_ == nullptr) return Error(Reason::kBadMessage, "a channel before the hello");
    auto opened = transport_->Accept(kPeer, data);
    if (!opened.ok()) return opened.status();
    v1::BenchFrame frame;
    frame.set_channel_accept(opened->data);
    return Send(frame);
  }

  absl::Status Open(const v1::BenchRoom& room) {
    if (transport_ == nullptr || room.pages() == 0 || room.pages() > shape_.pages ||
        room.slot() > UINT16_MAX || room.generation() > transport::kGenerationMask) {
      return Error(Reason::kBadMessage, "a room that cannot be");
    }
    transport::Window window;
    window.peer = kPeer;
    window.offer = {static_cast<uint16_t>(room.slot()), static_cast<uint16_t>(room.generation())};
    window.memory = memory_.id;
    window.plan = &plan();
    window.tokens = TokensOf(room.pages());
    window.pages = side();
    if (absl::Status status = transport_->OpenWindow(window); !status.ok()) return status;
    open_[window.offer] = room;
    v1::BenchFrame frame;
    *frame.mutable_opened() = room;
    return Send(frame);
  }

  void OnChannelDown(transport::ChannelId, const absl::Status& cause) override {
    if (open_.empty()) {
      over_ = true;
    } else {
      broken_ = cause;
    }
  }

  void OnPart(transport::ChannelId, transport::PeerId peer, transport::OfferId offer, uint32_t,
              uint64_t) override {
    transport_->FenceDrained(peer, offer);
  }

  // Only now may the slot be used again.
  void OnFenced(transport::PeerId, transport::OfferId offer) override {
    auto room = open_.find(offer);
    if (room == open_.end()) return;
    v1::BenchFrame frame;
    *frame.mutable_landed() = room->second;
    open_.erase(room);
    if (absl::Status status = Send(frame); !status.ok()) broken_ = status;
  }

  const transport::verbs::Wishes wishes_;
  BenchShape shape_;
  std::map<transport::OfferId, v1::BenchRoom> open_;
  bool began_ = false;
  bool over_ = false;
};

}  // namespace

absl::Status ServeBench(UniqueFd socket, const transport::verbs::Wishes& wishes) {
  return Target(std::move(socket), wishes).Run();
}

}  // namespace baton::ctl

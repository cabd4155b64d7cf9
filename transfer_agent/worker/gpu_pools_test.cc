// Which transports a rank's GPU memory is handed to, and what peers are told of it.
#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include <memory>
#include <utility>
#include <vector>

#include "common/reason.h"
#include "transfer_agent/transport/fake/fake_fabric.h"
#include "transfer_agent/transport/verbs/fake_provider/fake_net.h"
#include "transfer_agent/transport/verbs/verbs_transport.h"
#include "transfer_agent/worker/worker_core.h"

namespace baton::worker {
namespace {

using transport::verbs::FakeNet;
using transport::verbs::VerbsOptions;
using transport::verbs::VerbsTransport;

class NoOutbox final : public Outbox {
 public:
  absl::Status Send(PeerId, control::Priority, v1::Frame) override { return absl::OkStatus(); }
  void Dial(const std::string&) override {}
  void LookupRoom(uint32_t, uint64_t, const std::string&, const RoomKey&,
                  std::chrono::milliseconds) override {}
  void RoomOver(const std::string&, const RoomKey&) override {}
  void BindRoom(const std::string&, const RoomKey&, uint32_t, std::chrono::milliseconds) override {}
  void Detach(AttachmentId) override {}
};

class GpuPools : public testing::Test {
 protected:
  GpuPools() { net_.AddDevice({.name = "fake0", .port = {}}); }

  void Start(std::vector<transport::Transport*> transports, bool checksums = false) {
    core_ = std::make_unique<WorkerCore>(
        0, Epoch(1), "host", WorkerLimits{}, checksums, std::move(transports), &outbox_,
        [this](std::vector<v1::RankAnnouncement> ranks) { announced_ = std::move(ranks); });
  }
  absl::Status Attach() {
    auto rank = std::make_unique<attach::AttachedRank>();
    rank->id = attach::AttachmentId(1);
    rank->rank = {"decode-a", {0, 0, 0, 0}};
    rank->role = Role::kDecode;
    rank->regions.emplace_back(UniqueFd(eventfd(0, EFD_CLOEXEC)), nullptr, 4096, /*dma_buf=*/true);
    return core_->AddRank(std::move(rank));
  }

  FakeNet net_;
  transport::FakeFabric fabric_;
  std::unique_ptr<transport::Transport> copying_ = fabric_.Join("tcp");
  std::unique_ptr<transport::Transport> verbs_;
  NoOutbox outbox_;
  std::unique_ptr<WorkerCore> core_;
  std::vector<v1::RankAnnouncement> announced_;
};

TEST_F(GpuPools, GoByTheTransportThatCanMoveThemAndPeersHearOfNoOther) {
  verbs_ = VerbsTransport::Create(net_.NewProvider(), VerbsOptions{}).value();
  Start({copying_.get(), verbs_.get()});
  ASSERT_TRUE(Attach().ok());
  core_->OnRegistered({"decode-a", {0, 0, 0, 0}}, Incarnation(1), TimePoint());
  ASSERT_EQ(announced_.size(), 1u);
  ASSERT_EQ(announced_[0].transports_size(), 1);
  EXPECT_EQ(announced_[0].transports(0), "verbs");
  EXPECT_FALSE(announced_[0].memory_keys(0).empty());
  core_->EngineGone(attach::AttachmentId(1), TimePoint());
  core_.reset();
}

TEST_F(GpuPools, AreRefusedWhereNothingCanMoveThem) {
  Start({copying_.get()});
  const absl::Status refused = Attach();
  EXPECT_EQ(ReasonOf(refused), Reason::kNoTransport) << refused;
  EXPECT_NE(refused.message().find("tcp cannot move GPU memory"), absl::string_view::npos)
      << refused;
}

TEST_F(GpuPools, AreRefusedWithChecksumsWhichNobodyCouldMake) {
  verbs_ = VerbsTransport::Create(net_.NewProvider(), VerbsOptions{}).value();
  Start({verbs_.get()}, /*checksums=*/true);
  const absl::Status refused = Attach();
  EXPECT_EQ(ReasonOf(refused), Reason::kNoTransport) << refused;
  EXPECT_NE(refused.message().find("--checksums"), absl::string_view::npos) << refused;
}

}  // namespace
}  // namespace baton::worker

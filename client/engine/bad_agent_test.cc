// The client against an agent that hands over what it should not: it is refused, naming the rank.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <thread>

#include "baton/v1/attach.pb.h"
#include "client/engine/engine_client.h"
#include "client/engine/testing/small_engine.h"
#include "common/memfd.h"
#include "common/reason.h"
#include "common/shm_abi/attach_limits.h"
#include "common/shm_abi/ring_consumer.h"
#include "common/shm_abi/table_memory.h"
#include "common/unix_socket.h"
#include "tests/support/eventually.h"
#include "transfer_agent/attach/testing/small_rank.h"
#include "transfer_agent/attach/testing/test_agent.h"

namespace baton {
namespace {

using ::testing::HasSubstr;

constexpr uint32_t kRingBytes = 16 << 10;
constexpr uint32_t kSlots = 4;
constexpr uint32_t kPeers = 2;
constexpr uint64_t kEpoch = 5;

// What the bad agent answers with; each test spoils one thing.
struct Answer {
  v1::AttachReply reply;
  std::vector<UniqueFd> fds;
};

UniqueFd Ring(uint64_t epoch, bool sealed) {
  const uint64_t bytes = shm_abi::kRingDataOffset + kRingBytes;
  UniqueFd fd = sealed ? *CreateSealedMemfd("ring", bytes)
                       : UniqueFd(memfd_create("ring", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  EXPECT_TRUE(sealed || ftruncate(fd.get(), static_cast<off_t>(bytes)) == 0);
  Mapping mapping = *MapShared(fd.get(), bytes, Access::kReadWrite);
  shm_abi::InitRing(mapping.base(), epoch, kRingBytes);
  return fd;
}

UniqueFd Table(uint64_t epoch, uint32_t slots, bool sealed = true, uint32_t peers = kPeers) {
  const uint64_t bytes = shm_abi::TableBytes(slots, peers);
  UniqueFd fd = sealed ? *CreateSealedMemfd("table", bytes)
                       : UniqueFd(memfd_create("table", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  EXPECT_TRUE(sealed || ftruncate(fd.get(), static_cast<off_t>(bytes)) == 0);
  Mapping mapping = *MapShared(fd.get(), bytes, Access::kReadWrite);
  shm_abi::InitTable(mapping.base(), epoch, slots, peers);
  return fd;
}

Answer GoodAnswer() {
  Answer answer;
  answer.reply.set_epoch(kEpoch);
  answer.fds.push_back(Ring(kEpoch, true));
  answer.fds.push_back(Table(kEpoch, kSlots));
  answer.fds.push_back(UniqueFd(eventfd(0, EFD_CLOEXEC)));
  answer.fds.push_back(UniqueFd(eventfd(0, EFD_CLOEXEC)));
  return answer;
}

class BadAgent : public ::testing::Test {
 protected:
  // Attaches a rank to an agent that answers so.
  absl::Status AttachTo(Answer answer) {
    UniqueFd listener = *ListenSeqPacket(folder_.socket(), 4);
    std::thread agent([&] { Serve(listener.get(), answer); });
    EngineOptions options = SmallEngine(folder_.socket(), Role::kPrefill, pool_.get());
    options.slots = kSlots;
    options.peers = kPeers;
    options.ring_bytes = kRingBytes;
    options.attach_timeout = std::chrono::seconds(2);
    absl::Status attached = EngineClient::Attach(options).status();
    stop_.store(true);
    agent.join();
    return attached;
  }

  void Serve(int listener, const Answer& answer) {
    while (!stop_.load()) {
      auto accepted = AcceptSeqPacket(listener);
      if (accepted.ok() && *accepted) Speak(accepted->get(), answer);
      std::this_thread::yield();
    }
  }

  // Takes both packets before it answers.
  void Speak(int socket, const Answer& answer) {
    int packets = 0;
    EXPECT_TRUE(Eventually([&] {
      auto packet = ReceivePacket(socket, shm_abi::kAttachPacketMax, 64);
      if (packet.ok() && packet->has_value()) ++packets;
      return packets == 2;
    }));
    std::vector<int> fds;
    for (const UniqueFd& fd : answer.fds) fds.push_back(fd.get());
    EXPECT_TRUE(SendPacket(socket, answer.reply.SerializeAsString(), fds).ok());
  }

  void ExpectRefused(const absl::Status& status, Reason reason, const std::string& words) {
    EXPECT_EQ(ReasonOf(status), reason) << status;
    EXPECT_THAT(status.message(), HasSubstr(words));
    EXPECT_THAT(status.message(), HasSubstr("prefill-a[dp0/pp0/cp0/tp0]"));
  }

  attach::SocketFolder folder_;
  UniqueFd pool_ = *CreateSealedMemfd("pool", attach::kSmallPoolBytes);
  std::atomic<bool> stop_{false};
};

TEST_F(BadAgent, IsTakenWhenItIsGood) { EXPECT_TRUE(AttachTo(GoodAnswer()).ok()); }

TEST_F(BadAgent, IsRefusedARingThatMayShrink) {
  Answer answer = GoodAnswer();
  answer.fds[0] = Ring(kEpoch, false);
  ExpectRefused(AttachTo(std::move(answer)), Reason::kBadRegion, "ring: the memfd may shrink");
}

TEST_F(BadAgent, IsRefusedATableThatMayShrink) {
  Answer answer = GoodAnswer();
  answer.fds[1] = Table(kEpoch, kSlots, false);
  ExpectRefused(AttachTo(std::move(answer)), Reason::kBadRegion, "table: the memfd may shrink");
}

TEST_F(BadAgent, IsRefusedATableOfFewerSlots) {
  Answer answer = GoodAnswer();
  answer.fds[1] = Table(kEpoch, kSlots - 1);
  ExpectRefused(AttachTo(std::move(answer)), Reason::kBadRegion, "fewer than");
}

TEST_F(BadAgent, IsRefusedARingOfAnotherEpoch) {
  Answer answer = GoodAnswer();
  answer.fds[0] = Ring(kEpoch + 1, true);
  ExpectRefused(AttachTo(std::move(answer)), Reason::kBadMessage, "version");
}

TEST_F(BadAgent, IsRefusedMemoryOfAnotherKind) {
  Answer answer = GoodAnswer();
  std::swap(answer.fds[0], answer.fds[1]);
  EXPECT_FALSE(AttachTo(std::move(answer)).ok());
}

TEST_F(BadAgent, IsRefusedTheWrongNumberOfDescriptors) {
  Answer answer = GoodAnswer();
  answer.fds.pop_back();
  ExpectRefused(AttachTo(std::move(answer)), Reason::kBadMessage, "came with 3 descriptors");
}

TEST_F(BadAgent, IsNotWaitedForLongerThanAsked) {
  UniqueFd listener = *ListenSeqPacket(folder_.socket(), 4);
  EngineOptions options;
  options.agent_socket = folder_.socket();
  options.server = "prefill-a";
  options.regions = {{"kv", pool_.get(), attach::kSmallPoolBytes, false}};
  options.attach_timeout = std::chrono::milliseconds(80);
  absl::Status late = EngineClient::Attach(options).status();
  ExpectRefused(late, Reason::kDeadline, "did not answer in time");
}

TEST_F(BadAgent, IsNeverReachedWithOptionsThatCannotBe) {
  EngineOptions options;
  options.server = "prefill-a";
  options.slots = 0;
  EXPECT_EQ(ReasonOf(EngineClient::Attach(options).status()), Reason::kConfig);
  options.slots = 1;
  options.ring_bytes = 1000;
  EXPECT_THAT(EngineClient::Attach(options).status().message(), HasSubstr("power of two"));
  options.ring_bytes = kRingBytes;
  options.regions = {{"kv", -1, 10, false}};
  EXPECT_THAT(EngineClient::Attach(options).status().message(), HasSubstr("no descriptor"));
  options.regions.clear();
  options.model = std::string(1 << 20, 'm');
  EXPECT_EQ(ReasonOf(EngineClient::Attach(options).status()), Reason::kTooLarge);
  options.model.clear();
  options.agent_socket = std::string(200, 's');
  EXPECT_EQ(ReasonOf(EngineClient::Attach(options).status()), Reason::kConfig);
}

}  // namespace
}  // namespace baton

// What the bed promises to those who test on it. To be run there, by `make test-rdma`.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cstring>

#include "common/unique_fd.h"
#include "tools/rdma_bed/selftest/loop.h"

namespace baton::bed {
namespace {

constexpr size_t kBytes = 256 << 10;

// Whether the interface's port is up then follows in the verbs device.
bool SetInterfaceUp(const std::string& name, bool up) {
  UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strncpy(request.ifr_name, name.c_str(), IFNAMSIZ - 1);
  if (ioctl(fd.get(), SIOCGIFFLAGS, &request) != 0) return false;
  request.ifr_flags =
      static_cast<int16_t>(up ? request.ifr_flags | IFF_UP : request.ifr_flags & ~IFF_UP);
  return ioctl(fd.get(), SIOCSIFFLAGS, &request) == 0;
}

// Reads events until one of this type comes; false when none did in 10 s.
bool AwaitEvent(ibv_context* context, ibv_event_type type) {
  while (true) {
    pollfd ready{context->async_fd, POLLIN, 0};
    if (poll(&ready, 1, 10000) <= 0) return false;
    ibv_async_event event{};
    if (ibv_get_async_event(context, &event) != 0) return false;
    ibv_ack_async_event(&event);
    if (event.event_type == type) return true;
  }
}

TEST(BedTest, HasTwoDevices) {
  EXPECT_THAT(DeviceNames(), testing::UnorderedElementsAre("rxe0", "rxe1"));
}

class RailTest : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    for (size_t i = 0; i < kBytes; ++i) loop_.source()[i] = static_cast<uint8_t>(i * 7 + i / 256);
  }
  bool Landed(size_t offset, size_t bytes) {
    return std::equal(loop_.source() + offset, loop_.source() + offset + bytes,
                      loop_.target() + offset);
  }
  bool IsUntouched() {
    return std::all_of(loop_.target(), loop_.target() + kBytes, [](uint8_t b) { return b == 0; });
  }
  std::string Interface() { return "rail" + std::to_string(GetParam()); }

  Loop loop_{"rxe" + std::to_string(GetParam()), kBytes};
};

TEST_P(RailTest, HasAnActivePortThatSpeaksEthernetWithTheLargestMtu) {
  EXPECT_EQ(loop_.port().state, IBV_PORT_ACTIVE);
  EXPECT_EQ(loop_.port().link_layer, IBV_LINK_LAYER_ETHERNET);
  EXPECT_EQ(loop_.port().active_mtu, IBV_MTU_4096);
}

TEST_P(RailTest, WritesLandWithEveryByteRight) {
  for (uint32_t bytes : {1u, 4095u, 4096u, 4097u, 65536u}) {
    loop_.Post(loop_.Write(1000, bytes));
    ASSERT_EQ(loop_.AwaitSent().status, IBV_WC_SUCCESS) << bytes;
    EXPECT_TRUE(Landed(1000, bytes)) << bytes;
  }
  EXPECT_TRUE(std::all_of(loop_.target(), loop_.target() + 1000, [](uint8_t b) { return !b; }));
}

TEST_P(RailTest, AnImmediateArrivesAfterItsData) {
  loop_.PostReceive();
  Loop::Request write = loop_.Write(0, kBytes);
  write.wr.opcode = IBV_WR_RDMA_WRITE_WITH_IMM;
  write.wr.imm_data = htonl(0x12345678);
  loop_.Post(write);
  ibv_wc received = loop_.AwaitReceived();
  ASSERT_EQ(received.status, IBV_WC_SUCCESS);
  EXPECT_EQ(received.opcode, IBV_WC_RECV_RDMA_WITH_IMM);
  EXPECT_EQ(ntohl(received.imm_data), 0x12345678u);
  EXPECT_EQ(received.byte_len, kBytes);
  EXPECT_TRUE(Landed(0, kBytes));
  EXPECT_EQ(loop_.AwaitSent().status, IBV_WC_SUCCESS);
}

TEST_P(RailTest, AWriteWithAWrongKeyIsRefusedAndLandsNowhere) {
  Loop::Request write = loop_.Write(0, 4096);
  write.wr.wr.rdma.rkey ^= 0x5500;
  loop_.Post(write);
  EXPECT_EQ(loop_.AwaitSent().status, IBV_WC_REM_ACCESS_ERR);
  EXPECT_TRUE(IsUntouched());
}

// The way to a fence: what is queued on a queue pair never lands once the target's is in error.
TEST_P(RailTest, WritesToAQueuePairInErrorNeverLand) {
  ibv_qp_attr attr{};
  attr.qp_state = IBV_QPS_ERR;
  ASSERT_EQ(ibv_modify_qp(loop_.target_qp(), &attr, IBV_QP_STATE), 0);
  for (int i = 0; i < 8; ++i) loop_.Post(loop_.Write(0, 65536));
  EXPECT_EQ(loop_.AwaitSent().status, IBV_WC_RETRY_EXC_ERR);
  for (int i = 1; i < 8; ++i) EXPECT_EQ(loop_.AwaitSent().status, IBV_WC_WR_FLUSH_ERR);
  EXPECT_TRUE(IsUntouched());
}

TEST_P(RailTest, AWriteThroughAnInvalidatedWindowIsRefused) {
  ibv_mw* window = ibv_alloc_mw(loop_.pd(), IBV_MW_TYPE_2);
  ASSERT_NE(window, nullptr);
  const uint32_t key = ibv_inc_rkey(window->rkey);
  ibv_send_wr bind{};
  ibv_send_wr* bad = nullptr;
  bind.opcode = IBV_WR_BIND_MW;
  bind.send_flags = IBV_SEND_SIGNALED;
  bind.bind_mw = {window,
                  key,
                  {loop_.target_mr(), reinterpret_cast<uint64_t>(loop_.target()), kBytes,
                   IBV_ACCESS_REMOTE_WRITE}};
  ASSERT_EQ(ibv_post_send(loop_.target_qp(), &bind, &bad), 0);
  ASSERT_EQ(loop_.AwaitReceived().status, IBV_WC_SUCCESS);

  Loop::Request write = loop_.Write(0, 4096);
  write.wr.wr.rdma.rkey = key;
  loop_.Post(write);
  ASSERT_EQ(loop_.AwaitSent().status, IBV_WC_SUCCESS);
  EXPECT_TRUE(Landed(0, 4096));

  ibv_send_wr invalidate{};
  invalidate.opcode = IBV_WR_LOCAL_INV;
  invalidate.send_flags = IBV_SEND_SIGNALED;
  invalidate.invalidate_rkey = key;
  ASSERT_EQ(ibv_post_send(loop_.target_qp(), &invalidate, &bad), 0);
  ASSERT_EQ(loop_.AwaitReceived().status, IBV_WC_SUCCESS);
  std::fill(loop_.target(), loop_.target() + kBytes, 0);
  loop_.Post(write);
  EXPECT_EQ(loop_.AwaitSent().status, IBV_WC_REM_ACCESS_ERR);
  EXPECT_TRUE(IsUntouched());
  EXPECT_EQ(ibv_dealloc_mw(window), 0);
}

TEST_P(RailTest, ThePortFollowsItsInterfaceDownAndUpAndCarriesWritesAgain) {
  ASSERT_TRUE(SetInterfaceUp(Interface(), false));
  EXPECT_TRUE(AwaitEvent(loop_.context(), IBV_EVENT_PORT_ERR));
  loop_.Post(loop_.Write(0, 4096));
  EXPECT_NE(loop_.AwaitSent().status, IBV_WC_SUCCESS);
  EXPECT_TRUE(IsUntouched());
  ASSERT_TRUE(SetInterfaceUp(Interface(), true));
  EXPECT_TRUE(AwaitEvent(loop_.context(), IBV_EVENT_PORT_ACTIVE));

  Loop after("rxe" + std::to_string(GetParam()), kBytes);
  after.source()[0] = 1;
  after.Post(after.Write(0, 4096));
  EXPECT_EQ(after.AwaitSent().status, IBV_WC_SUCCESS);
  EXPECT_EQ(after.target()[0], 1);
}

INSTANTIATE_TEST_SUITE_P(Rail, RailTest, testing::Values(0, 1));

}  // namespace
}  // namespace baton::bed

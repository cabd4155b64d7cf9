// Engines that do it wrong, against the real server: every refusal names the rank, and an engine
// beside them notices nothing.
#include "transfer_agent/attach/attach_server.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "baton/v1/attach.pb.h"
#include "client/engine/engine_client.h"
#include "client/rpc/error_detail.h"
#include "common/memfd.h"
#include "common/reason.h"
#include "common/shm_abi/attach_limits.h"
#include "common/shm_abi/ring_layout.h"
#include "common/unix_socket.h"
#include "planner/layout_proto.h"
#include "tests/support/eventually.h"
#include "transfer_agent/attach/testing/small_rank.h"
#include "transfer_agent/attach/testing/test_agent.h"

namespace baton::attach {
namespace {

using ::testing::HasSubstr;

class Server : public ::testing::Test {
 protected:
  AttachOptions Options() {
    AttachOptions options;
    options.socket_path = folder_.socket();
    options.epoch = Epoch(11);
    return options;
  }

  void Start(AttachOptions options) {
    agent_.emplace(std::move(options));
    ASSERT_TRUE(agent_->Start().ok());
    connection_ = Connect();
  }
  void Start() { Start(Options()); }

  UniqueFd Connect() { return *ConnectSeqPacket(folder_.socket()); }

  static v1::AttachRequest Request() {
    v1::AttachRequest request;
    request.set_protocol_major(shm_abi::kAttachProtocolMajor);
    request.set_server("prefill-a");
    request.set_launch_id("pod-1/0");
    request.set_role(v1::ROLE_PREFILL);
    request.mutable_coord();
    *request.mutable_spec() = planner::ToProto(SmallSpec());
    *request.mutable_layout() = planner::ToProto(SmallLayout());
    request.set_region_count(1);
    request.set_slots(4);
    request.set_ring_bytes(64 << 10);
    return request;
  }
  static v1::AttachRegions Regions(uint64_t size = kSmallPoolBytes, bool dma_buf = false) {
    v1::AttachRegions regions;
    v1::Region* region = regions.add_regions();
    region->set_size(size);
    region->set_dma_buf(dma_buf);
    region->set_name("kv");
    return regions;
  }

  void Say(const google::protobuf::Message& message, const std::vector<int>& fds = {}) {
    absl::Status sent = SendPacket(connection_.get(), message.SerializeAsString(), fds);
    // A server that has refused already may have closed.
    EXPECT_TRUE(sent.ok() || ReasonOf(sent) == Reason::kPeerLost) << sent;
  }

  // The answer's cause; OK when the engine was taken in.
  absl::Status Answer(int socket) {
    absl::Status cause;
    EXPECT_TRUE(Eventually([&] {
      auto packet = ReceivePacket(socket, 1 << 16, 4);
      if (!packet.ok() || !packet->has_value()) return false;
      v1::AttachReply reply;
      EXPECT_FALSE((*packet)->end) << "no answer";
      EXPECT_TRUE(reply.ParseFromString((*packet)->bytes));
      if (reply.has_cause()) cause = FromDetail(reply.cause());
      answer_fds_ = std::move((*packet)->fds);
      return true;
    }));
    return cause;
  }
  absl::Status Answer() { return Answer(connection_.get()); }

  // A whole attachment with one region.
  absl::Status Offer(int fd, uint64_t size = kSmallPoolBytes, bool dma_buf = false) {
    Say(Request());
    Say(Regions(size, dma_buf), {fd});
    return Answer();
  }

  // The refusal names the rank, the reason and these words.
  void ExpectRefused(const absl::Status& cause, Reason reason, const std::string& words) {
    EXPECT_EQ(ReasonOf(cause), reason) << cause;
    EXPECT_THAT(cause.message(), HasSubstr(words));
    ASSERT_TRUE(RankOf(cause).has_value()) << cause;
    EXPECT_EQ(RankOf(cause)->server, "prefill-a");
    EXPECT_EQ(agent_->attached(), 0);
    ExpectStillServes();
  }

  void ExpectStillServes() {
    UniqueFd pool = Pool();
    connection_ = Connect();
    EXPECT_TRUE(Offer(pool.get()).ok());
  }

  static UniqueFd Pool(uint64_t bytes = kSmallPoolBytes) { return *CreatePoolMemfd("pool", bytes); }

  SocketFolder folder_;
  std::optional<TestAgent> agent_;
  UniqueFd connection_;
  std::vector<UniqueFd> answer_fds_;
};

TEST_F(Server, TakesARankInAndGivesFourDescriptors) {
  Start();
  UniqueFd pool = Pool();
  ASSERT_TRUE(Offer(pool.get()).ok());
  EXPECT_EQ(answer_fds_.size(), shm_abi::kReplyFds);
  EXPECT_EQ(agent_->attached(), 1);
}

TEST_F(Server, RefusesAPoolThatMayShrink) {
  Start();
  UniqueFd plain(memfd_create("plain", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  ASSERT_EQ(ftruncate(plain.get(), kSmallPoolBytes), 0);
  ExpectRefused(Offer(plain.get()), Reason::kBadRegion, "region 0 'kv': the memfd may shrink");
}

TEST_F(Server, RefusesAPoolSmallerThanAnnounced) {
  Start();
  UniqueFd pool = Pool(kSmallPoolBytes / 2);
  ExpectRefused(Offer(pool.get()), Reason::kBadRegion, "fewer than");
}

TEST_F(Server, RefusesDescriptorsThatAreNoMemory) {
  Start();
  UniqueFd bell(eventfd(0, EFD_CLOEXEC));
  ExpectRefused(Offer(bell.get()), Reason::kBadRegion, "no memfd");
}

TEST_F(Server, RefusesADecodePoolThatItCannotWrite) {
  Start();
  UniqueFd pool = Pool();
  UniqueFd read_only = *ReopenReadOnly(pool.get());
  v1::AttachRequest request = Request();
  request.set_role(v1::ROLE_DECODE);
  Say(request);
  Say(Regions(), {read_only.get()});
  ExpectRefused(Answer(), Reason::kBadRegion, "O_RDWR");
}

TEST_F(Server, MapsAPrefillPoolReadOnly) {
  Start();
  UniqueFd pool = Pool();
  UniqueFd read_only = *ReopenReadOnly(pool.get());
  ASSERT_TRUE(Offer(read_only.get()).ok());
  agent_->WithRanks([](AttachedRank& rank) {
    EXPECT_NE(mprotect(rank.regions[0].base(), 4096, PROT_READ | PROT_WRITE), 0);
  });
}

TEST_F(Server, RefusesAMemfdThatIsAnnouncedAsADmaBuf) {
  Start();
  UniqueFd pool = Pool();
  ExpectRefused(Offer(pool.get(), kSmallPoolBytes, true), Reason::kBadRegion, "is a memfd");
}

// A plain file stands for a dma-buf: it has a size and no seals.
TEST_F(Server, TakesADmaBufButDoesNotMapIt) {
  Start();
  UniqueFd file(open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  ASSERT_EQ(ftruncate(file.get(), kSmallPoolBytes), 0);
  ASSERT_TRUE(Offer(file.get(), kSmallPoolBytes, true).ok());
  agent_->WithRanks([](AttachedRank& rank) {
    EXPECT_TRUE(rank.regions[0].dma_buf());
    EXPECT_EQ(rank.regions[0].base(), nullptr);
  });
}

TEST_F(Server, RefusesALayoutThatRunsPastItsRegion) {
  Start();
  UniqueFd pool = Pool();
  v1::AttachRequest request = Request();
  request.mutable_layout()->mutable_buffers(1)->set_offset(kSmallPoolBytes / 2 + 1);
  Say(request);
  Say(Regions(), {pool.get()});
  ExpectRefused(Answer(), Reason::kBadSpec, "region");
}

TEST_F(Server, RefusesALayoutWhoseOffsetsOverflow) {
  Start();
  UniqueFd pool = Pool();
  v1::AttachRequest request = Request();
  request.mutable_layout()->mutable_buffers(0)->set_page_stride(UINT64_MAX / 2);
  request.mutable_layout()->mutable_buffers(0)->set_offset(UINT64_MAX - 64);
  Say(request);
  Say(Regions(), {pool.get()});
  ExpectRefused(Answer(), Reason::kBadSpec, "");
}

TEST_F(Server, RefusesACountOfDescriptorsThatDiffers) {
  Start();
  UniqueFd pool = Pool();
  Say(Request());
  Say(Regions(), {pool.get(), pool.get()});
  ExpectRefused(Answer(), Reason::kBadMessage, "1 regions came with 2 descriptors");
}

TEST_F(Server, RefusesRegionsWithoutDescriptors) {
  Start();
  Say(Request());
  Say(Regions(), {});
  ExpectRefused(Answer(), Reason::kBadMessage, "0 descriptors");
}

TEST_F(Server, RefusesMoreRegionsThanAnnounced) {
  Start();
  UniqueFd pool = Pool();
  v1::AttachRegions regions = Regions();
  *regions.add_regions() = regions.regions(0);
  Say(Request());
  Say(regions, {pool.get(), pool.get()});
  ExpectRefused(Answer(), Reason::kBadMessage, "more regions came than the 1 announced");
}

TEST_F(Server, RefusesPoolsBeyondItsLimit) {
  AttachOptions options = Options();
  options.pool_bytes_max = kSmallPoolBytes;
  Start(options);
  UniqueFd pool = Pool(kSmallPoolBytes + 4096);
  ExpectRefused(Offer(pool.get(), kSmallPoolBytes + 1), Reason::kTooLarge, "pools of more than");
}

TEST_F(Server, RefusesAPacketThatIsTooLong) {
  Start();
  v1::AttachRequest request = Request();
  request.set_model(std::string(shm_abi::kAttachPacketMax, 'm'));
  Say(request);
  absl::Status cause = Answer();
  EXPECT_EQ(ReasonOf(cause), Reason::kTooLarge) << cause;
  ExpectStillServes();
}

TEST_F(Server, RefusesWhatIsNoRequest) {
  Start();
  ASSERT_TRUE(SendPacket(connection_.get(), "\xff\xff\xff nonsense", {}).ok());
  EXPECT_EQ(ReasonOf(Answer()), Reason::kBadMessage);
  connection_ = Connect();
  UniqueFd pool = Pool();
  Say(Request(), {pool.get()});
  EXPECT_THAT(Answer().message(), HasSubstr("first packet carries descriptors"));
  ExpectStillServes();
}

TEST_F(Server, RefusesNumbersOutsideTheirRangeByName) {
  Start();
  auto refused = [&](const std::string& words, auto change) {
    connection_ = Connect();
    v1::AttachRequest request = Request();
    change(request);
    Say(request);
    absl::Status cause = Answer();
    EXPECT_THAT(cause.message(), HasSubstr(words));
    EXPECT_EQ(RankOf(cause).has_value(), true);
  };
  refused("protocol_major is 2", [](auto& r) { r.set_protocol_major(2); });
  refused("slots is 0", [](auto& r) { r.set_slots(0); });
  refused("slots is 65537", [](auto& r) { r.set_slots(65537); });
  refused("ring_bytes is 65537", [](auto& r) { r.set_ring_bytes(65537); });
  refused("ring_bytes is 134217728", [](auto& r) { r.set_ring_bytes(128 << 20); });
  refused("region_count is 4294967295", [](auto& r) { r.set_region_count(UINT32_MAX); });
  refused("role is 0", [](auto& r) { r.set_role(v1::ROLE_UNSPECIFIED); });
  refused("length of server is 0", [](auto& r) { r.set_server(""); });
  refused("length of launch_id is 256", [](auto& r) { r.set_launch_id(std::string(256, 'x')); });
  refused("model holds a control", [](auto& r) { r.set_model("a\nb"); });
  refused("outside the server's sizes", [](auto& r) { r.mutable_coord()->set_pp(9); });
  refused("number of labels", [](auto& r) {
    for (int i = 0; i < 65; ++i) (*r.mutable_labels())[std::to_string(i)] = "";
  });
  EXPECT_EQ(agent_->attached(), 0);
  ExpectStillServes();
}

TEST_F(Server, EndsAHandshakeThatDoesNotFinish) {
  AttachOptions options = Options();
  options.handshake_timeout = std::chrono::milliseconds(30);
  Start(options);
  Say(Request());
  absl::Status cause = Answer();
  EXPECT_EQ(ReasonOf(cause), Reason::kDeadline);
  EXPECT_EQ(RankOf(cause), (RankRef{"prefill-a", {}}));
}

TEST_F(Server, BoundsTheEnginesThatAreAttaching) {
  AttachOptions options = Options();
  options.half_open_max = 2;
  Start(options);
  UniqueFd second = Connect();
  UniqueFd third = Connect();
  EXPECT_EQ(ReasonOf(Answer(third.get())), Reason::kFull);
  second.Reset();
  UniqueFd pool = Pool();
  EXPECT_TRUE(Offer(pool.get()).ok());
}

TEST_F(Server, BoundsItsRanks) {
  AttachOptions options = Options();
  options.ranks_max = 1;
  Start(options);
  UniqueFd pool = Pool();
  ASSERT_TRUE(Offer(pool.get()).ok());
  UniqueFd second = Connect();
  EXPECT_EQ(ReasonOf(Answer(second.get())), Reason::kTooLarge);
}

TEST_F(Server, RefusesAsTheAgentSays) {
  Start();
  UniqueFd pool = Pool();
  ASSERT_TRUE(Offer(pool.get()).ok());
  UniqueFd first = std::move(connection_);
  connection_ = Connect();
  absl::Status twice = Offer(pool.get());
  EXPECT_EQ(ReasonOf(twice), Reason::kNotReady);
  EXPECT_THAT(twice.message(), HasSubstr("former attachment"));
  EXPECT_EQ(agent_->attached(), 1);
  EXPECT_EQ(agent_->detached(), 0);
  // Its end makes room for the next.
  first.Reset();
  ASSERT_TRUE(Eventually([&] { return agent_->detached() == 1; }));
  connection_ = Connect();
  EXPECT_TRUE(Offer(pool.get()).ok());
}

TEST_F(Server, DetachesAnEngineThatWritesNonsenseAndNoOther) {
  Start();
  UniqueFd pool = Pool();
  ASSERT_TRUE(Offer(pool.get()).ok());
  EngineOptions options;
  options.agent_socket = folder_.socket();
  options.server = "prefill-b";
  options.launch_id = "1";
  options.spec = SmallSpec();
  options.layout = SmallLayout();
  options.regions = {{"kv", pool.get(), kSmallPoolBytes, false}};
  auto bystander = EngineClient::Attach(options);
  ASSERT_TRUE(bystander.ok()) << bystander.status();
  auto ring =
      MapShared(answer_fds_[0].get(), shm_abi::kRingDataOffset + (64 << 10), Access::kReadWrite);
  ASSERT_TRUE(ring.ok());
  reinterpret_cast<shm_abi::RingHeader*>(ring->base())->tail.store(12345);
  ASSERT_TRUE(Eventually([&] { return agent_->detached() == 1; }));
  auto room = (*bystander)->OpenSend({.room = {1}});
  ASSERT_TRUE(room.ok());
  EXPECT_TRUE(Eventually([&] { return (*bystander)->Poll(*room).phase == RoomPhase::kOffered; }));
  EXPECT_TRUE((*bystander)->attached());
}

TEST_F(Server, DetachesAnEngineThatGoesOnTalking) {
  Start();
  UniqueFd pool = Pool();
  ASSERT_TRUE(Offer(pool.get()).ok());
  Say(Request());
  EXPECT_TRUE(Eventually([&] { return agent_->detached() == 1; }));
}

TEST_F(Server, EndsTheConnectionWhenTheRankIsDestroyed) {
  Start();
  UniqueFd pool = Pool();
  ASSERT_TRUE(Offer(pool.get()).ok());
  agent_->DropRanks();
  EXPECT_TRUE(Eventually([&] {
    auto packet = ReceivePacket(connection_.get(), 100, 0);
    return packet.ok() && packet->has_value() && (*packet)->end;
  }));
}

TEST_F(Server, GivesMemoryThatTheEngineCanNeitherShrinkNorMisuse) {
  Start();
  UniqueFd pool = Pool();
  ASSERT_TRUE(Offer(pool.get()).ok());
  int ring = answer_fds_[0].get(), table = answer_fds_[1].get();
  EXPECT_NE(ftruncate(ring, 4096), 0);
  EXPECT_NE(ftruncate(table, 0), 0);
  EXPECT_FALSE(MapShared(table, 4096, Access::kReadWrite).ok());
  EXPECT_NE(fcntl(ring, F_ADD_SEALS, F_SEAL_WRITE), 0);
  UniqueFd reopened(open(("/proc/self/fd/" + std::to_string(table)).c_str(), O_RDWR));
  EXPECT_FALSE(reopened && MapShared(reopened.get(), 4096, Access::kReadWrite).ok());
}

TEST_F(Server, TellsEnginesThatItHasNoDescriptorsLeft) {
  Start();
  UniqueFd pool = Pool();
  UniqueFd next(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  rlimit before;
  getrlimit(RLIMIT_NOFILE, &before);
  // As many as are open now, and not one more.
  rlimit now = {static_cast<rlim_t>(dup(0)), before.rlim_max};
  close(static_cast<int>(now.rlim_cur));
  auto probe = std::string(folder_.socket());
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  memcpy(address.sun_path, probe.data(), probe.size());
  setrlimit(RLIMIT_NOFILE, &now);
  ASSERT_EQ(connect(next.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  absl::Status cause = Answer(next.get());
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(ReasonOf(cause), Reason::kSystem) << cause;
  EXPECT_THAT(cause.message(), HasSubstr("RLIMIT_NOFILE"));
  ExpectStillServes();
}

TEST_F(Server, NamesTheSocketThatItCannotBind) {
  Start();
  TestAgent second(Options());
  absl::Status started = second.Start();
  EXPECT_EQ(ReasonOf(started), Reason::kConfig);
  EXPECT_THAT(started.message(), HasSubstr(folder_.socket()));
}

TEST_F(Server, SendsNoEventAfterStop) {
  Start();
  UniqueFd pool = Pool();
  ASSERT_TRUE(Offer(pool.get()).ok());
  agent_->Stop();
  connection_.Reset();
  EXPECT_EQ(agent_->detached(), 0);
  EXPECT_NE(access(folder_.socket().c_str(), F_OK), 0);
}

}  // namespace
}  // namespace baton::attach

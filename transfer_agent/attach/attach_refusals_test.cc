// Engines that do it wrong: every refusal names the rank, and an engine beside them notices
// nothing.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "transfer_agent/attach/testing/raw_engine.h"

namespace baton::attach {
namespace {

using ::testing::HasSubstr;

using Refusals = RawEngine;

TEST_F(Refusals, RefusesAPoolThatMayShrink) {
  Start();
  UniqueFd plain(memfd_create("plain", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  ASSERT_EQ(ftruncate(plain.get(), kSmallPoolBytes), 0);
  ExpectRefused(Offer(plain.get()), Reason::kBadRegion, "region 0 'kv': the memfd may shrink");
}

TEST_F(Refusals, RefusesAPoolSmallerThanAnnounced) {
  Start();
  UniqueFd pool = Pool(kSmallPoolBytes / 2);
  ExpectRefused(Offer(pool.get()), Reason::kBadRegion, "fewer than");
}

TEST_F(Refusals, RefusesDescriptorsThatAreNoMemory) {
  Start();
  UniqueFd bell(eventfd(0, EFD_CLOEXEC));
  ExpectRefused(Offer(bell.get()), Reason::kBadRegion, "no memfd");
}

TEST_F(Refusals, RefusesADecodePoolThatItCannotWrite) {
  Start();
  UniqueFd pool = Pool();
  UniqueFd read_only = *ReopenReadOnly(pool.get());
  v1::AttachRequest request = Request();
  request.set_role(v1::ROLE_DECODE);
  Say(request);
  Say(Regions(), {read_only.get()});
  ExpectRefused(Answer(), Reason::kBadRegion, "O_RDWR");
}

TEST_F(Refusals, MapsAPrefillPoolReadOnly) {
  Start();
  UniqueFd pool = Pool();
  UniqueFd read_only = *ReopenReadOnly(pool.get());
  ASSERT_TRUE(Offer(read_only.get()).ok());
  agent_->WithRanks([](AttachedRank& rank) {
    EXPECT_NE(mprotect(rank.regions[0].base(), 4096, PROT_READ | PROT_WRITE), 0);
  });
}

TEST_F(Refusals, RefusesAMemfdThatIsAnnouncedAsADmaBuf) {
  Start();
  UniqueFd pool = Pool();
  ExpectRefused(Offer(pool.get(), kSmallPoolBytes, true), Reason::kBadRegion, "is a memfd");
}

// A plain file stands for a dma-buf: it has a size and no seals.
TEST_F(Refusals, TakesADmaBufButDoesNotMapIt) {
  Start();
  UniqueFd file(open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  ASSERT_EQ(ftruncate(file.get(), kSmallPoolBytes), 0);
  ASSERT_TRUE(Offer(file.get(), kSmallPoolBytes, true).ok());
  agent_->WithRanks([](AttachedRank& rank) {
    EXPECT_TRUE(rank.regions[0].dma_buf());
    EXPECT_EQ(rank.regions[0].base(), nullptr);
  });
}

// A region of GPU memory that its driver lends, without a dma-buf.
v1::AttachRegions LentRegions() {
  v1::AttachRegions regions;
  v1::Region* region = regions.add_regions();
  region->set_size(kSmallPoolBytes);
  region->set_dma_buf(true);
  region->set_no_dma_buf(true);
  region->set_name("kv");
  region->mutable_gpu()->set_device(std::string(16, 'u'));
  region->mutable_gpu()->set_ipc_handle(std::string(64, 'h'));
  region->mutable_gpu()->set_offset(512);
  region->mutable_gpu()->set_allocation_bytes(512 + kSmallPoolBytes);
  return regions;
}

TEST_F(Refusals, TakesGpuMemoryWithoutAnyDescriptor) {
  Start();
  Say(Request());
  Say(LentRegions());
  ASSERT_TRUE(Answer().ok());
  agent_->WithRanks([](AttachedRank& rank) {
    EXPECT_LT(rank.regions[0].fd(), 0);
    EXPECT_EQ(rank.regions[0].share().kind, DeviceShare::Kind::kIpc);
    EXPECT_EQ(rank.regions[0].share().offset, 512u);
  });
}

TEST_F(Refusals, TakesTheDescriptorsOfTwoRegionsInTheirOrder) {
  Start();
  UniqueFd memory = Pool();
  UniqueFd allocation(eventfd(0, EFD_CLOEXEC));
  v1::AttachRequest request = Request();
  request.set_region_count(2);
  Say(request);
  v1::AttachRegions regions = LentRegions();
  regions.mutable_regions(0)->mutable_gpu()->clear_ipc_handle();
  *regions.add_regions() = Regions().regions(0);
  Say(regions, {allocation.get(), memory.get()});
  ASSERT_TRUE(Answer().ok());
  agent_->WithRanks([](AttachedRank& rank) {
    EXPECT_EQ(rank.regions[0].share().kind, DeviceShare::Kind::kVmm);
    EXPECT_GE(rank.regions[0].share().fd, 0);
    EXPECT_NE(rank.regions[1].base(), nullptr);
  });
}

TEST_F(Refusals, RefusesGpuMemoryThatContradictsItself) {
  Start();
  const std::vector<std::pair<std::function<void(v1::Region*)>, std::string>> wrongs = {
      {[](v1::Region* r) { r->clear_gpu(); }, "without a descriptor and without a handle"},
      {[](v1::Region* r) { r->set_dma_buf(false); }, "announced as host memory"},
      {[](v1::Region* r) { r->mutable_gpu()->set_device("short"); }, "named in 5 bytes, not 16"},
      {[](v1::Region* r) { r->mutable_gpu()->set_ipc_handle("x"); }, "its handle is of 1, not 64"},
      {[](v1::Region* r) { r->mutable_gpu()->set_offset(513); }, "do not lie in its allocation"},
      {[](v1::Region* r) { r->mutable_gpu()->set_offset(UINT64_MAX); }, "do not lie"}};
  for (const auto& [spoil, words] : wrongs) {
    v1::AttachRegions regions = LentRegions();
    spoil(regions.mutable_regions(0));
    UniqueFd engine = Connect();
    connection_ = std::move(engine);
    Say(Request());
    Say(regions);
    const absl::Status cause = Answer();
    EXPECT_EQ(ReasonOf(cause), Reason::kBadRegion) << cause;
    EXPECT_NE(cause.message().find(words), absl::string_view::npos) << cause;
  }
}

TEST_F(Refusals, RefusesALayoutThatRunsPastItsRegion) {
  Start();
  UniqueFd pool = Pool();
  v1::AttachRequest request = Request();
  request.mutable_layout()->mutable_buffers(1)->set_offset(kSmallPoolBytes / 2 + 1);
  Say(request);
  Say(Regions(), {pool.get()});
  ExpectRefused(Answer(), Reason::kBadSpec, "region");
}

TEST_F(Refusals, RefusesALayoutWhoseOffsetsOverflow) {
  Start();
  UniqueFd pool = Pool();
  v1::AttachRequest request = Request();
  request.mutable_layout()->mutable_buffers(0)->set_page_stride(UINT64_MAX / 2);
  request.mutable_layout()->mutable_buffers(0)->set_offset(UINT64_MAX - 64);
  Say(request);
  Say(Regions(), {pool.get()});
  ExpectRefused(Answer(), Reason::kBadSpec, "");
}

TEST_F(Refusals, RefusesACountOfDescriptorsThatDiffers) {
  Start();
  UniqueFd pool = Pool();
  Say(Request());
  Say(Regions(), {pool.get(), pool.get()});
  ExpectRefused(Answer(), Reason::kBadMessage, "1 regions came with 2 descriptors");
}

TEST_F(Refusals, RefusesRegionsWithoutDescriptors) {
  Start();
  Say(Request());
  Say(Regions(), {});
  ExpectRefused(Answer(), Reason::kBadMessage, "0 descriptors");
}

TEST_F(Refusals, RefusesMoreRegionsThanAnnounced) {
  Start();
  UniqueFd pool = Pool();
  v1::AttachRegions regions = Regions();
  *regions.add_regions() = regions.regions(0);
  Say(Request());
  Say(regions, {pool.get(), pool.get()});
  ExpectRefused(Answer(), Reason::kBadMessage, "more regions came than the 1 announced");
}

TEST_F(Refusals, RefusesAPoolWhosePagesTheAgentWouldHaveToPayFor) {
  Start();
  UniqueFd sparse(memfd_create("sparse", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  ASSERT_EQ(ftruncate(sparse.get(), kSmallPoolBytes), 0);
  ASSERT_EQ(fcntl(sparse.get(), F_ADD_SEALS, F_SEAL_SHRINK), 0);
  ExpectRefused(Offer(sparse.get()), Reason::kBadRegion, "before you attach");
}

TEST_F(Refusals, RefusesPoolsBeyondItsLimit) {
  AttachOptions options = Options();
  options.pool_bytes_max = kSmallPoolBytes;
  Start(options);
  UniqueFd pool = Pool(kSmallPoolBytes + 4096);
  ExpectRefused(Offer(pool.get(), kSmallPoolBytes + 1), Reason::kTooLarge, "pools of more than");
}

TEST_F(Refusals, RefusesAPacketThatIsTooLong) {
  Start();
  v1::AttachRequest request = Request();
  request.set_model(std::string(shm_abi::kAttachPacketMax, 'm'));
  Say(request);
  absl::Status cause = Answer();
  EXPECT_EQ(ReasonOf(cause), Reason::kTooLarge) << cause;
  ExpectStillServes();
}

TEST_F(Refusals, RefusesWhatIsNoRequest) {
  Start();
  ASSERT_TRUE(SendPacket(connection_.get(), "\xff\xff\xff nonsense", {}).ok());
  EXPECT_EQ(ReasonOf(Answer()), Reason::kBadMessage);
  connection_ = Connect();
  UniqueFd pool = Pool();
  Say(Request(), {pool.get()});
  EXPECT_THAT(Answer().message(), HasSubstr("first packet carries descriptors"));
  ExpectStillServes();
}

TEST_F(Refusals, RefusesNumbersOutsideTheirRangeByName) {
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
  refused("protocol_major is 1", [](auto& r) { r.set_protocol_major(1); });
  refused("peers is 1025", [](auto& r) { r.set_peers(1025); });
  refused("the number of aliases is 17", [](auto& r) {
    for (int i = 0; i < 17; ++i) r.add_aliases("a");
  });
  refused("the length of an alias is 0", [](auto& r) { r.add_aliases(""); });
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

}  // namespace
}  // namespace baton::attach

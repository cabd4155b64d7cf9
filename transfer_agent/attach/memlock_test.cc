#include "transfer_agent/attach/memlock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "baton/v1/attach.pb.h"
#include "common/memfd.h"
#include "common/reason.h"
#include "common/shm_abi/attach_limits.h"
#include "planner/layout_proto.h"
#include "transfer_agent/attach/handshake.h"
#include "transfer_agent/attach/testing/small_rank.h"

namespace baton::attach {
namespace {

using ::testing::HasSubstr;

TEST(Memlock, ReadsCapIpcLockFromTheEffectiveSet) {
  EXPECT_TRUE(HasIpcLock("CapPrm:\t0\nCapEff:\t0000000000004000\n"));
  EXPECT_FALSE(HasIpcLock("CapPrm:\t0000000000004000\nCapEff:\t0000000000002000\n"));
  EXPECT_FALSE(HasIpcLock(""));
  EXPECT_FALSE(HasIpcLock("CapEff:\tnonsense\n"));
}

TEST(Memlock, IsTheLimitLessWhatIsPinned) {
  rlimit limit;
  getrlimit(RLIMIT_MEMLOCK, &limit);
  // A privileged process has no limit at all.
  EXPECT_EQ(PinnableBytes(0).value_or(limit.rlim_cur), limit.rlim_cur);
  EXPECT_EQ(PinnableBytes(UINT64_MAX).value_or(0), 0u);
}

TEST(Memlock, RefusesAHostPoolBeyondItByNameOfTheRankAndOfTheLimit) {
  v1::AttachRequest request;
  request.set_protocol_major(shm_abi::kAttachProtocolMajor);
  request.set_server("prefill-a");
  request.set_launch_id("1");
  request.set_role(v1::ROLE_PREFILL);
  *request.mutable_spec() = planner::ToProto(SmallSpec());
  *request.mutable_layout() = planner::ToProto(SmallLayout());
  request.set_region_count(1);
  request.set_slots(4);
  request.set_ring_bytes(64 << 10);
  v1::AttachRegions regions;
  regions.add_regions()->set_size(kSmallPoolBytes);

  Handshake handshake({uint64_t{1} << 40, kSmallPoolBytes - 1});
  Packet first, second;
  first.bytes = request.SerializeAsString();
  second.bytes = regions.SerializeAsString();
  second.fds.push_back(*CreateSealedMemfd("pool", kSmallPoolBytes));
  ASSERT_TRUE(handshake.Take(std::move(first)).ok());
  absl::Status refused = handshake.Take(std::move(second)).status();
  EXPECT_EQ(ReasonOf(refused), Reason::kSystem);
  EXPECT_THAT(refused.message(), HasSubstr("RLIMIT_MEMLOCK"));
  EXPECT_THAT(refused.message(), HasSubstr("CAP_IPC_LOCK"));
  EXPECT_EQ(RankOf(refused), (RankRef{"prefill-a", {}}));
}

}  // namespace
}  // namespace baton::attach

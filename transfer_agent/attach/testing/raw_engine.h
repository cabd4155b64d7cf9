// A real attach server, and an engine that speaks the protocol by hand, so that it can do it wrong.
#ifndef BATON_TRANSFER_AGENT_ATTACH_TESTING_RAW_ENGINE_H_
#define BATON_TRANSFER_AGENT_ATTACH_TESTING_RAW_ENGINE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "baton/v1/attach.pb.h"
#include "client/rpc/error_detail.h"
#include "common/memfd.h"
#include "common/reason.h"
#include "common/shm_abi/attach_limits.h"
#include "common/unix_socket.h"
#include "planner/layout_proto.h"
#include "tests/support/eventually.h"
#include "transfer_agent/attach/testing/small_rank.h"
#include "transfer_agent/attach/testing/test_agent.h"

namespace baton::attach {

class RawEngine : public ::testing::Test {
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
    EXPECT_THAT(cause.message(), ::testing::HasSubstr(words));
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

  static UniqueFd Pool(uint64_t bytes = kSmallPoolBytes) {
    return *CreateSealedMemfd("pool", bytes);
  }

  SocketFolder folder_;
  std::optional<TestAgent> agent_;
  UniqueFd connection_;
  std::vector<UniqueFd> answer_fds_;
};

}  // namespace baton::attach

#endif  // BATON_TRANSFER_AGENT_ATTACH_TESTING_RAW_ENGINE_H_

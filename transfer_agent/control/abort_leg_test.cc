// AgentPeer.AbortLeg as a router calls it, beside the control streams of the same port.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "baton/v1/peer.grpc.pb.h"
#include "client/rpc/channel.h"
#include "client/rpc/status.h"
#include "common/mutex.h"
#include "common/reason.h"
#include "transfer_agent/control/test_agent.h"

namespace baton::control {
namespace {

class AbortLegTest : public ::testing::Test {
 protected:
  AbortLegTest() {
    PeerLinksOptions options = TestAgent::Options(1);
    options.abort_leg = [this](const RoomKey& room, const std::string& why) {
      MutexLock lock(&mu_);
      aborted_.emplace_back(room, why);
    };
    agent_ = std::make_unique<TestAgent>(options);
  }

  absl::Status Abort(const v1::AbortLegRequest& request) {
    auto stub = v1::AgentPeer::NewStub(MakeChannel(agent_->address()));
    grpc::ClientContext context;
    context.set_deadline(DeadlineIn(std::chrono::seconds(20)));
    v1::AbortLegResponse response;
    return FromGrpc(stub->AbortLeg(&context, request, &response));
  }
  std::vector<std::pair<RoomKey, std::string>> aborted() {
    MutexLock lock(&mu_);
    return aborted_;
  }

  Mutex mu_;
  std::vector<std::pair<RoomKey, std::string>> aborted_ ABSL_GUARDED_BY(mu_);
  std::unique_ptr<TestAgent> agent_;
};

TEST_F(AbortLegTest, NamesTheRoomAndWhy) {
  v1::AbortLegRequest request;
  request.mutable_room()->set_id(UINT64_MAX);
  request.mutable_room()->set_nonce(7);
  request.set_why("the user has gone");
  EXPECT_TRUE(Abort(request).ok());
  request.set_why("");
  EXPECT_TRUE(Abort(request).ok());
  ASSERT_EQ(aborted().size(), 2u);
  EXPECT_EQ(aborted()[0].first, (RoomKey{UINT64_MAX, 7}));
  EXPECT_EQ(aborted()[0].second, "the user has gone");
  EXPECT_FALSE(aborted()[1].second.empty());
}

TEST_F(AbortLegTest, ALongWhyIsCut) {
  v1::AbortLegRequest request;
  request.mutable_room();
  request.set_why(std::string(100000, 'x'));
  EXPECT_TRUE(Abort(request).ok());
  EXPECT_EQ(aborted()[0].second.size(), 1024u);
}

TEST_F(AbortLegTest, ARequestWithoutARoomIsRefused) {
  EXPECT_EQ(ReasonOf(Abort({})), Reason::kBadMessage);
  EXPECT_TRUE(aborted().empty());
}

TEST_F(AbortLegTest, AnAgentWithoutAHandlerAnswers) {
  agent_ = std::make_unique<TestAgent>(2);
  v1::AbortLegRequest request;
  request.mutable_room();
  EXPECT_TRUE(Abort(request).ok());
}

}  // namespace
}  // namespace baton::control

#include "client/engine/pod_identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "common/reason.h"

namespace baton {
namespace {

using testing::HasSubstr;

class PodIdentityTest : public testing::Test {
 protected:
  PodIdentityTest() : stat_(testing::TempDir() + "/stat") {
    WriteStat("1 (serve (it) 2) S 0 1 1 0 -1 4194560 1 0 0 0 3 4 5 6 20 0 1 0 777 8 9");
    variables_ = {{"BATON_SERVER", "prefill-0"}, {"POD_UID", "c0ffee"}};
  }

  void WriteStat(const std::string& line) { std::ofstream(stat_) << line << "\n"; }

  absl::StatusOr<PodIdentity> Read() {
    return ReadPodIdentity(
        [this](const char* name) {
          auto it = variables_.find(name);
          return it == variables_.end() ? nullptr : it->second.c_str();
        },
        stat_);
  }

  std::string ErrorOf() { return std::string(Read().status().message()); }

  const std::string stat_;
  std::map<std::string, std::string> variables_;
};

TEST_F(PodIdentityTest, APodAloneIsItsServer) {
  auto pod = Read();
  ASSERT_TRUE(pod.ok()) << pod.status();
  EXPECT_EQ(pod->server, "prefill-0");
  EXPECT_EQ(pod->agent_socket, "/run/baton/attach.sock");
  EXPECT_EQ(pod->launch_id, "c0ffee/777");
  EXPECT_EQ(pod->pods, 1u);
  EXPECT_TRUE(pod->is_leader());
}

TEST_F(PodIdentityTest, AContainerThatStartsAnewHasANewLaunch) {
  auto before = Read();
  WriteStat("1 (x) S 0 1 1 0 -1 4194560 1 0 0 0 3 4 5 6 20 0 1 0 778 8 9");
  auto after = Read();
  ASSERT_TRUE(before.ok() && after.ok());
  EXPECT_NE(before->launch_id, after->launch_id);
}

TEST_F(PodIdentityTest, AWorkerOfAGroupKnowsItsPlace) {
  variables_["LWS_WORKER_INDEX"] = "1";
  variables_["LWS_GROUP_SIZE"] = "2";
  variables_["BATON_LAUNCH_ID"] = "the leader's";
  variables_["BATON_ATTACH_SOCKET"] = "/x";
  auto pod = Read();
  ASSERT_TRUE(pod.ok()) << pod.status();
  EXPECT_FALSE(pod->is_leader());
  EXPECT_EQ(pod->index, 1u);
  EXPECT_EQ(pod->pods, 2u);
  EXPECT_EQ(pod->launch_id, "the leader's");
  EXPECT_EQ(pod->agent_socket, "/x");
}

TEST_F(PodIdentityTest, WhatIsMissingOrWrongIsNamed) {
  variables_["LWS_WORKER_INDEX"] = "2";
  EXPECT_THAT(ErrorOf(), HasSubstr("LWS_WORKER_INDEX=2 is not below LWS_GROUP_SIZE=1"));
  variables_["LWS_WORKER_INDEX"] = "two";
  EXPECT_THAT(ErrorOf(), HasSubstr("LWS_WORKER_INDEX=two is no number"));
  variables_.erase("LWS_WORKER_INDEX");
  variables_.erase("POD_UID");
  EXPECT_THAT(ErrorOf(), HasSubstr("POD_UID"));
  variables_.erase("BATON_SERVER");
  EXPECT_THAT(ErrorOf(), HasSubstr("BATON_SERVER is not set"));
}

TEST_F(PodIdentityTest, AStatFileThatTellsNothingIsAnError) {
  WriteStat("1 (x) S 0");
  EXPECT_THAT(ErrorOf(), HasSubstr("give BATON_LAUNCH_ID"));
}

TEST_F(PodIdentityTest, ThisProcessHasAFirstProcess) {
  setenv("BATON_SERVER", "s", 1);
  setenv("POD_UID", "u", 1);
  EXPECT_TRUE(ReadPodIdentity().ok()) << ReadPodIdentity().status();
}

TEST(CoordOfRankTest, TpIsFastestAndDpSlowest) {
  const RankCoord sizes{2, 3, 2, 4};
  EXPECT_EQ(*CoordOfRank(0, sizes), (RankCoord{0, 0, 0, 0}));
  EXPECT_EQ(*CoordOfRank(3, sizes), (RankCoord{0, 0, 0, 3}));
  EXPECT_EQ(*CoordOfRank(4, sizes), (RankCoord{0, 0, 1, 0}));
  EXPECT_EQ(*CoordOfRank(8, sizes), (RankCoord{0, 1, 0, 0}));
  EXPECT_EQ(*CoordOfRank(47, sizes), (RankCoord{1, 2, 1, 3}));
}

TEST(CoordOfRankTest, ARankBeyondTheSizesIsRefused) {
  auto coord = CoordOfRank(48, {2, 3, 2, 4});
  EXPECT_EQ(ReasonOf(coord.status()), Reason::kBadCoord);
  EXPECT_FALSE(CoordOfRank(0, {0, 1, 1, 1}).ok());
}

}  // namespace
}  // namespace baton

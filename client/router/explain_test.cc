#include "client/router/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/router/testing.h"

namespace baton {
namespace {

using router_testing::RecordOf;
using router_testing::ServerShape;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const ServerShape kPrefill{"p", v1::ROLE_PREFILL};
const ServerShape kDecode{"d", v1::ROLE_DECODE};

TEST(Explain, NothingStandsBetweenTwoReadyServersThatFit) {
  EXPECT_THAT(ExplainPair(RecordOf(kPrefill), RecordOf(kDecode)), IsEmpty());
  EXPECT_TRUE(CheckPair(RecordOf(kPrefill), RecordOf(kDecode)).ok());
}

TEST(Explain, NamesTheFieldThatDiffersAndBothValues) {
  ServerShape decode = kDecode;
  decode.shape.dtype = "fp8";
  auto found = ExplainPair(RecordOf(kPrefill), RecordOf(decode));
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].reason, Reason::kIncompatible);
  EXPECT_THAT(found[0].field, HasSubstr("dtype"));
  EXPECT_EQ(found[0].prefill, "bf16");
  EXPECT_EQ(found[0].decode, "fp8");
  std::string text = ToString(found[0], "p", "d");
  EXPECT_THAT(text, HasSubstr("INCOMPATIBLE "));
  EXPECT_THAT(text, HasSubstr("prefill p has bf16, decode d has fp8"));
  absl::Status status = CheckPair(RecordOf(kPrefill), RecordOf(decode));
  EXPECT_EQ(ReasonOf(status), Reason::kIncompatible);
  EXPECT_THAT(std::string(status.message()), HasSubstr("decode d has fp8"));
}

TEST(Explain, ServersOfTwoModelsAreNoPair) {
  ServerShape decode = kDecode;
  decode.model = "other";
  auto found = ExplainPair(RecordOf(kPrefill), RecordOf(decode));
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].field, "model");
  EXPECT_EQ(found[0].decode, "other");
}

TEST(Explain, RevisionsOfOneModelAreNoPair) {
  ServerShape prefill = kPrefill;
  prefill.labels = {{"revision", "r1"}};
  ServerShape decode = kDecode;
  decode.labels = {{"revision", "r2"}};
  auto found = ExplainPair(RecordOf(prefill), RecordOf(decode));
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].field, "label revision");
  EXPECT_EQ(found[0].prefill, "r1");
  EXPECT_EQ(found[0].decode, "r2");
  // Who says nothing fits.
  EXPECT_TRUE(ExplainPair(RecordOf(prefill), RecordOf(kDecode)).empty());
}

TEST(Explain, ServersOfTwoEnginesAreNoPair) {
  ServerShape prefill = kPrefill;
  prefill.labels = {{"engine", "vllm"}};
  ServerShape decode = kDecode;
  decode.labels = {{"engine", "sglang"}};
  auto found = ExplainPair(RecordOf(prefill), RecordOf(decode));
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].field, "label engine");
  EXPECT_EQ(found[0].prefill, "vllm");
  EXPECT_EQ(found[0].decode, "sglang");
}

TEST(Explain, TwoPrefillServersAreNoPair) {
  auto found = ExplainPair(RecordOf(kPrefill), RecordOf(kPrefill));
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].field, "role");
  EXPECT_EQ(found[0].decode, "PREFILL");
}

TEST(Explain, SaysWhichRanksAServerWaitsFor) {
  v1::ServerRecord decode = RecordOf(kDecode);
  decode.set_state(v1::SERVER_STATE_REGISTERING);
  decode.set_missing_count(6);
  for (uint32_t tp = 0; tp < 6; ++tp) decode.add_missing()->set_tp(tp);
  auto found = ExplainPair(RecordOf(kPrefill), decode);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].reason, Reason::kNotReady);
  EXPECT_EQ(found[0].prefill, "READY");
  EXPECT_EQ(found[0].decode,
            "REGISTERING, 6 ranks missing: dp0/pp0/cp0/tp0 dp0/pp0/cp0/tp1 dp0/pp0/cp0/tp2 "
            "dp0/pp0/cp0/tp3 ...");
}

TEST(Explain, WhatIsForGoodComesBeforeWhatMayPass) {
  ServerShape prefill = kPrefill;
  prefill.state = v1::SERVER_STATE_DRAINING;
  ServerShape decode = kDecode;
  decode.shape.dtype = "fp8";
  auto found = ExplainPair(RecordOf(prefill), RecordOf(decode));
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_EQ(found[0].reason, Reason::kIncompatible);
  EXPECT_EQ(found[1].reason, Reason::kDraining);
  EXPECT_EQ(found[1].prefill, "DRAINING");
}

TEST(Explain, ASpecThatCannotBeIsNamed) {
  v1::ServerRecord decode = RecordOf(kDecode);
  decode.mutable_spec()->mutable_tensors(0)->set_page_group(7);
  auto found = ExplainPair(RecordOf(kPrefill), decode);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].reason, Reason::kBadSpec);
  EXPECT_EQ(found[0].prefill, "valid");
  EXPECT_THAT(found[0].decode, HasSubstr("page_group"));
}

}  // namespace
}  // namespace baton

#include "client/rpc/status.h"

#include <gtest/gtest.h>

#include <string>

#include "baton/v1/types.pb.h"
#include "client/rpc/error_detail.h"
#include "common/reason.h"

namespace baton {
namespace {

TEST(RpcStatus, CarriesReasonRankAndTextBothWays) {
  RankRef rank{"prefill-a", {1, 2, 3, 4}};
  grpc::Status sent = ToGrpc(Error(Reason::kSpecMismatch, "tensors[0].dtype differs", rank));
  EXPECT_EQ(sent.error_code(), grpc::FAILED_PRECONDITION);
  absl::Status got = FromGrpc(sent, "RegisterRank");
  EXPECT_EQ(got.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(got), Reason::kSpecMismatch);
  EXPECT_EQ(RankOf(got), rank);
  EXPECT_EQ(got.message(), "RegisterRank: tensors[0].dtype differs");
}

TEST(RpcStatus, OkIsOk) {
  EXPECT_TRUE(ToGrpc(absl::OkStatus()).ok());
  EXPECT_TRUE(FromGrpc(grpc::Status::OK).ok());
}

TEST(RpcStatus, GivesGrpcsOwnErrorsTheReasonThatFits) {
  EXPECT_EQ(ReasonOf(FromGrpc({grpc::UNAVAILABLE, "connect failed"})), Reason::kPeerLost);
  EXPECT_EQ(ReasonOf(FromGrpc({grpc::DEADLINE_EXCEEDED, ""})), Reason::kDeadline);
  EXPECT_EQ(ReasonOf(FromGrpc({grpc::RESOURCE_EXHAUSTED, "too big"})), Reason::kTooLarge);
  EXPECT_EQ(ReasonOf(FromGrpc({grpc::NOT_FOUND, "x", "not a detail \xff"})), Reason::kUnknown);
}

TEST(RpcStatus, KeepsTheNameOfAReasonItDoesNotKnow) {
  v1::ErrorDetail detail;
  detail.set_reason("FROM_THE_FUTURE");
  detail.set_message("text");
  absl::Status status = FromDetail(detail);
  EXPECT_EQ(ReasonOf(status), Reason::kUnknown);
  EXPECT_EQ(status.message(), "FROM_THE_FUTURE: text");
}

TEST(RpcStatus, CutsALongTextBetweenCharacters) {
  std::string text;
  while (text.size() < kErrorMessageBytesMax + 100) text += "x\xC3\xA4";
  v1::ErrorDetail detail = ToDetail(Error(Reason::kUnknown, text));
  EXPECT_LE(detail.message().size(), kErrorMessageBytesMax + 3);
  v1::ErrorDetail again;
  EXPECT_TRUE(again.ParseFromString(detail.SerializeAsString()));
  EXPECT_EQ(again.message(), detail.message());
}

TEST(ErrorDetail, ShowsNothingThatATerminalObeys) {
  v1::ErrorDetail detail;
  detail.set_reason("ABORTED");
  detail.set_message("why\x1b[2J\nforged");
  detail.mutable_rank()->set_server("s\x07");
  const absl::Status status = FromDetail(detail);
  EXPECT_EQ(status.message(), "why?[2J?forged");
  EXPECT_EQ(RankOf(status)->server, "s?");
}

}  // namespace
}  // namespace baton

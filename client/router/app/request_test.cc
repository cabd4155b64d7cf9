// What the router thinks of requests, answers and failures, without any I/O.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "client/router/app/attempts.h"
#include "client/router/app/legs.h"
#include "client/router/app/openai.h"
#include "client/router/app/verdict.h"
#include "client/router/testing.h"
#include "common/reason.h"

namespace baton::proxy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Verdict = Judge::Verdict;

std::string WhyRefused(absl::string_view body) {
  return std::string(ParseRequest(body).status().message());
}

TEST(ParseRequestTest, KnowsTheModelTheStreamAndThePromptsBeginning) {
  auto asked = ParseRequest(R"({"model":"m","stream":true,"prompt":"once upon"})");
  ASSERT_TRUE(asked.ok()) << asked.status();
  EXPECT_EQ(asked->model, "m");
  EXPECT_TRUE(asked->stream);
  EXPECT_EQ(asked->prefix_key, "once upon");
  asked = ParseRequest(R"({"model":null,"stream":null,"messages":[{"content":"hi"}]})");
  ASSERT_TRUE(asked.ok()) << asked.status();
  EXPECT_EQ(asked->model, "");
  EXPECT_FALSE(asked->stream);
  EXPECT_THAT(asked->prefix_key, HasSubstr("hi"));
}

TEST(ParseRequestTest, SaysWhatIsWrong) {
  EXPECT_EQ(WhyRefused("{"), "the body is no JSON");
  EXPECT_EQ(WhyRefused("[]"), "the body must be a JSON object");
  EXPECT_THAT(WhyRefused(R"({"model":1})"), HasSubstr("\"model\""));
  EXPECT_THAT(WhyRefused(R"({"stream":"yes"})"), HasSubstr("\"stream\""));
}

TEST(ParseRequestTest, DepthIsBoundedAndBracketsInStringsAreNone) {
  EXPECT_THAT(WhyRefused(std::string(100000, '[')), HasSubstr("deeper than 100"));
  EXPECT_TRUE(ParseRequest(R"({"prompt":")" + std::string(1000, '[') + R"(\"{"})").ok());
}

TEST(OpenAiTest, AnErrorIsAsOpenAisClientsReadIt) {
  const Json error = ParseJson(ErrorBody(503, "no \"pair\""));
  EXPECT_EQ(error["error"]["message"], "no \"pair\"");
  EXPECT_EQ(error["error"]["type"], "server_error");
  EXPECT_EQ(error["error"]["code"], 503);
  EXPECT_EQ(ErrorEvent(502, "x"), "data: " + ErrorBody(502, "x") + "\n\n");
}

Route RouteOf(const std::map<std::string, std::string>& prefill,
              const std::map<std::string, std::string>& decode) {
  using router_testing::ServerShape;
  ServerShape source{"p", v1::ROLE_PREFILL};
  source.labels = prefill;
  ServerShape target{"d", v1::ROLE_DECODE};
  target.labels = decode;
  return {{7, 8}, {router_testing::Share(source), 3}, {router_testing::Share(target), 0}};
}

Asked AskedOf(absl::string_view body) { return *ParseRequest(body); }

TEST(LegsTest, VllmsPrefillMakesOneTokenAndBothLegsNameTheRoom) {
  const Route route = RouteOf({{"engine", "vllm"}, {"http", "a:1"}}, {{"http", "b:2"}});
  auto legs = LegsOf(AskedOf(R"({"prompt":"x","stream":true,"n":2,"max_tokens":9})"), route);
  ASSERT_TRUE(legs.ok()) << legs.status();
  EXPECT_EQ(legs->prefill.http, "a:1");
  EXPECT_EQ(legs->decode.http, "b:2");
  EXPECT_EQ(ParseJson(legs->prefill.body), ParseJson(R"({"prompt":"x","stream":false,
      "max_tokens":1,"kv_transfer_params":{"baton":
      {"room":7,"nonce":8,"side":"send","decode_server":"d"}}})"));
  EXPECT_EQ(ParseJson(legs->decode.body), ParseJson(R"({"prompt":"x","stream":true,"n":2,
      "max_tokens":9,"kv_transfer_params":{"baton":
      {"room":7,"nonce":8,"side":"receive","prefill_server":"p","prefill_dp":3}}})"));
}

TEST(LegsTest, SglangsLegsAreTheRequestAndWhereItsPrefillIsFound) {
  const Route route =
      RouteOf({{"engine", "sglang"}, {"http", "a:1"}, {"bootstrap", "c:9"}}, {{"http", "b:2"}});
  auto legs = LegsOf(AskedOf(R"({"text":"x","stream":true})"), route);
  ASSERT_TRUE(legs.ok()) << legs.status();
  EXPECT_EQ(ParseJson(legs->decode.body), ParseJson(R"({"text":"x","stream":true,
      "bootstrap_host":"c","bootstrap_port":9,"bootstrap_room":7})"));
  EXPECT_EQ(ParseJson(legs->prefill.body)["stream"], false);
}

TEST(LegsTest, AServerThatLacksALabelIsNamed) {
  const auto why = [](const Route& route) {
    return std::string(LegsOf(AskedOf("{}"), route).status().message());
  };
  EXPECT_THAT(why(RouteOf({{"engine", "vllm"}}, {})), HasSubstr("server p lacks the label \"http"));
  EXPECT_THAT(why(RouteOf({{"http", "a:1"}}, {{"http", "b:2"}})), HasSubstr("\"engine\""));
  EXPECT_THAT(why(RouteOf({{"engine", "sglang"}, {"http", "a:1"}}, {{"http", "b:2"}})),
              HasSubstr("\"bootstrap\""));
  EXPECT_THAT(why(RouteOf({{"engine", "other"}, {"http", "a:1"}}, {{"http", "b:2"}})),
              HasSubstr("speaks to vllm and sglang"));
}

Judge StreamOf(int status) {
  Judge judge(/*streams=*/true);
  judge.OnHead(status);
  return judge;
}

TEST(JudgeTest, AStreamIsHeldUntilItsFirstContent) {
  Judge judge = StreamOf(200);
  EXPECT_EQ(judge.OnBody(": alive\n\n"), Verdict::kWait);
  EXPECT_EQ(judge.OnBody("data: {\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}\n\nda"),
            Verdict::kWait);
  EXPECT_EQ(judge.OnBody("ta: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n"),
            Verdict::kPass);
  EXPECT_THAT(judge.held(), HasSubstr("alive"));
}

TEST(JudgeTest, AFailureBeforeTheFirstContentIsFound) {
  for (const char* event : {R"({"error":{"message":"room failed"}})",
                            R"({"choices":[{"text":"","finish_reason":"abort"}]})"}) {
    Judge judge = StreamOf(200);
    EXPECT_EQ(judge.OnBody("data: {\"choices\":[{\"delta\":{\"role\":\"x\"}}]}\r\n\r\n"),
              Verdict::kWait);
    EXPECT_EQ(judge.OnBody(std::string("data: ") + event + "\n\n"), Verdict::kFailed);
    EXPECT_FALSE(judge.why().empty());
  }
}

TEST(JudgeTest, AStreamThatSaysNothingIsNotHeldForEver) {
  Judge judge = StreamOf(200);
  EXPECT_EQ(judge.OnBody(std::string(Judge::kHeldMax + 1, 'x')), Verdict::kPass);
}

TEST(JudgeTest, AnEmptyStreamIsAFailure) { EXPECT_EQ(StreamOf(200).OnEnd(), Verdict::kFailed); }

TEST(JudgeTest, WhatIsNoStreamIsJudgedWhole) {
  const auto judged = [](int status, absl::string_view body) {
    Judge judge(/*streams=*/false);
    judge.OnHead(status);
    EXPECT_EQ(judge.OnBody(body), Verdict::kWait);
    return judge.OnEnd();
  };
  EXPECT_EQ(judged(200, R"({"choices":[{"text":"a","finish_reason":"stop"}]})"), Verdict::kPass);
  EXPECT_EQ(judged(200, R"({"choices":[{"text":"","finish_reason":"error"}]})"), Verdict::kFailed);
  EXPECT_EQ(judged(400, R"({"error":"too long"})"), Verdict::kPass);
  EXPECT_EQ(judged(429, "busy"), Verdict::kFailed);
  EXPECT_EQ(judged(503, "no"), Verdict::kFailed);
}

TEST(BriefTest, IsOneShortLine) {
  EXPECT_EQ(Brief(500, " a\nb\n"), "HTTP 500: a b");
  EXPECT_LT(Brief(500, std::string(10000, 'x')).size(), 400u);
}

TEST(AttemptsTest, EndWhenTheyAreUsedUpAndSayWhatFailed) {
  Attempts attempts(2);
  attempts.Begin();
  EXPECT_TRUE(attempts.Fail("p", "out of order"));
  attempts.Begin();
  EXPECT_FALSE(attempts.Fail("d", "silent"));
  EXPECT_THAT(attempts.avoid(), ElementsAre("p", "d"));
  EXPECT_EQ(attempts.words(), "p: out of order; then d: silent");
}

TEST(AttemptsDeathTest, WhatAClientHasBeenToldOfIsNotTriedAgain) {
  Attempts attempts(2);
  attempts.Begin();
  attempts.Pass();
  EXPECT_DEATH(attempts.Fail("d", "late"), "request: no row for \\(passing, fail\\)");
}

TEST(RequestStates, AreDrawnAsTheyAre) {
  std::stringstream drawn;
  drawn << std::ifstream("docs/states/request.dot").rdbuf();
  EXPECT_EQ(drawn.str(),
            RenderDot("request", absl::MakeConstSpan(kRequestRows), RequestState::kPicking));
}

}  // namespace
}  // namespace baton::proxy

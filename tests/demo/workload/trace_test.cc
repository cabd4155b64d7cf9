#include "tests/demo/workload/trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/reason.h"

namespace baton::demo {
namespace {

using testing::HasSubstr;

std::string ErrorOf(absl::string_view text) {
  auto parsed = ParseTrace(text, "w.jsonl");
  if (parsed.ok()) return "";
  EXPECT_EQ(ReasonOf(parsed.status()), Reason::kConfig);
  return std::string(parsed.status().message());
}

constexpr char kGood[] =
    R"({"timestamp": 5, "input_length": 1025, "output_length": 0, "hash_ids": [0, 7, 9]})";

TEST(Trace, ReadsTheFieldsOfALine) {
  auto parsed = ParseTrace(std::string(kGood) + "\n\n  " + kGood + "\r\n", "w");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  Request expected{5, 1025, 0, {0, 7, 9}};
  EXPECT_THAT(*parsed, testing::ElementsAre(expected, expected));
}

TEST(Trace, NamesTheLineThatIsNotJson) {
  std::string error = ErrorOf(std::string(kGood) + "\nnot json\n");
  EXPECT_THAT(error, HasSubstr("w.jsonl:2: not a JSON object"));
  EXPECT_THAT(ErrorOf("{\"timestamp\": }"), HasSubstr("w.jsonl:1: not a request in JSON"));
  EXPECT_THAT(ErrorOf("[1]"), HasSubstr("not a JSON object"));
  EXPECT_THAT(ErrorOf(absl::string_view(kGood).substr(0, 40)), HasSubstr("w.jsonl:1:"));
}

TEST(Trace, KeepsAnErrorOnOneLine) {
  EXPECT_EQ(ErrorOf("{\"timestamp\": }").find('\n'), std::string::npos);
}

TEST(Trace, RefusesNegativeAndFractionalNumbers) {
  EXPECT_THAT(ErrorOf(R"({"timestamp": 0, "input_length": -4, "output_length": 1})"),
              HasSubstr("w.jsonl:1: not a request in JSON"));
  EXPECT_THAT(ErrorOf(R"({"timestamp": 0, "input_length": 1.5, "output_length": 1})"),
              HasSubstr("w.jsonl:1: not a request in JSON"));
}

TEST(Trace, NamesTheFieldThatIsMissing) {
  EXPECT_THAT(ErrorOf(R"({"timestamp": 0, "output_length": 1})"),
              HasSubstr("w.jsonl:1: input_length is missing"));
  EXPECT_THAT(ErrorOf(R"({"input_length": 3, "output_length": 1})"),
              HasSubstr("timestamp is missing"));
}

TEST(Trace, NamesTheFieldThatIsHuge) {
  EXPECT_THAT(ErrorOf(R"({"timestamp": 0, "input_length": 999999999999, "output_length": 1})"),
              HasSubstr("input_length is 999999999999, must be 1 to 16777216"));
  EXPECT_THAT(ErrorOf(R"({"timestamp": 0, "input_length": 0, "output_length": 1})"),
              HasSubstr("input_length is 0"));
  EXPECT_THAT(ErrorOf(R"({"timestamp": 99999999999999999999999, "input_length": 1})"),
              HasSubstr("w.jsonl:1:"));
}

TEST(Trace, RefusesMoreBlocksThanTheInputHas) {
  EXPECT_THAT(
      ErrorOf(R"({"timestamp": 0, "input_length": 5, "output_length": 1, "hash_ids": [1, 2]})"),
      HasSubstr("the count of hash_ids is 2, must be 0 to 1"));
}

TEST(Trace, RefusesALineThatIsTooLong) {
  std::string line = "{\"x\": \"" + std::string(kTraceLineMax, 'a') + "\"}";
  EXPECT_THAT(ErrorOf(line), HasSubstr("bytes, at most 4194304"));
}

TEST(Trace, RefusesAnEmptyFile) { EXPECT_THAT(ErrorOf("\n \n"), HasSubstr("no requests")); }

TEST(Trace, NamesTheFileThatIsNotThere) {
  auto read = ReadTrace("/nonexistent/w.jsonl");
  ASSERT_FALSE(read.ok());
  EXPECT_THAT(std::string(read.status().message()), HasSubstr("--trace: cannot open /nonexistent"));
  EXPECT_FALSE(ReadTrace("/").ok());
}

TEST(Trace, ShipsAWorkloadThatReads) {
  auto read = ReadTrace("tests/demo/workload/sample.jsonl");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_GE(read->size(), 100u);
}

}  // namespace
}  // namespace baton::demo

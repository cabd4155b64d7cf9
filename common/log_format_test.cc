#include "common/log_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "common/flood_gate.h"
#include "common/log.h"
#include "tests/support/eventually.h"

namespace baton {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

class Log : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { InitLog("log_format_test"); }
  void SetUp() override { file_ = tmpfile(); }
  void TearDown() override {
    StartLogFormat(LogFormat::kText, "test");
    fclose(file_);
  }

  void StartIt(LogFormat format) { StartLogFormat(format, "prog", fileno(file_)); }

  std::vector<std::string> Lines() {
    FlushLog();
    return Printed();
  }
  // Nothing that logs waits for what is written.
  void AwaitPrinted(const std::string& what) {
    ASSERT_TRUE(Eventually([&] {
      const std::vector<std::string> lines = Printed();
      return !lines.empty() && absl::StrContains(lines.back(), what);
    })) << what;
  }
  std::vector<std::string> Printed() {
    std::string all;
    char buffer[4096];
    for (ssize_t n, at = 0; (n = pread(fileno(file_), buffer, sizeof(buffer), at)) > 0; at += n) {
      all.append(buffer, n);
    }
    return absl::StrSplit(all, '\n', absl::SkipEmpty());
  }

  FILE* file_ = nullptr;
};

TEST_F(Log, TextIsGlogsOwnLine) {
  StartIt(LogFormat::kText);
  LOG(WARNING) << "room 7 failed";
  ASSERT_THAT(Lines(), SizeIs(1));
  EXPECT_THAT(Lines()[0], StartsWith("W"));
  EXPECT_THAT(Lines()[0], HasSubstr(" log_format_test.cc:"));
  EXPECT_THAT(Lines()[0], EndsWith("] room 7 failed"));
}

TEST_F(Log, TextIsOneLineWhateverTheMessageHolds) {
  StartIt(LogFormat::kText);
  LOG(INFO) << "peer \x1b[31m\nI20260101 00:00:00.0 forged.cc:1] all is well\u202e";
  ASSERT_THAT(Lines(), SizeIs(1));
  EXPECT_THAT(Lines()[0], EndsWith("] peer ?[31m\\nI20260101 00:00:00.0 forged.cc:1] all is "
                                   "well???"));
}

TEST_F(Log, JsonIsOneObjectALineWhateverTheMessageHolds) {
  StartIt(LogFormat::kJson);
  LOG(ERROR) << "server \"a\\b\"\nnext\x01\xff";
  ASSERT_THAT(Lines(), SizeIs(1));
  const std::string line = Lines()[0];
  EXPECT_THAT(line, StartsWith("{\"time\": \"20"));
  EXPECT_THAT(line, HasSubstr("Z\", \"severity\": \"error\", \"program\": \"prog\", "));
  EXPECT_THAT(line, HasSubstr("\"source\": \"log_format_test.cc:"));
  EXPECT_THAT(line, EndsWith("\"message\": \"server \\\"a\\\\b\\\"\\nnext??\"}"));
}

TEST_F(Log, AFloodIsKeptBackAndCounted) {
  StartIt(LogFormat::kText);
  constexpr uint32_t kLines = 5 * kLogLinesPerSecond;
  for (uint32_t i = 0; i < kLines; ++i) LOG(INFO) << "line " << i;
  const std::vector<std::string> lines = Lines();
  // Two seconds' worth at most, should the clock's second end on the way.
  EXPECT_LE(lines.size(), 2 * kLogLinesPerSecond + 2);
  EXPECT_GE(lines.size(), kLogLinesPerSecond + 1);
  EXPECT_THAT(lines[0], EndsWith("] line 0"));
  EXPECT_THAT(lines.back(), HasSubstr(" more lines were kept back, the last of them: line 499"));
  EXPECT_EQ(ReadLogCounts().info, kLines);
}

TEST_F(Log, AFloodOfOneStatementKeepsNoOtherBack) {
  StartIt(LogFormat::kText);
  for (uint32_t i = 0; i < 5 * kLogLinesPerSecond; ++i) LOG(INFO) << "flood";
  LOG(WARNING) << "the one that matters";
  int found = 0;
  for (const std::string& line : Lines()) found += absl::EndsWith(line, "the one that matters");
  EXPECT_EQ(found, 1);
}

TEST_F(Log, AFloodsSummaryNeedsNoLineAfterIt) {
  StartIt(LogFormat::kText);
  for (uint32_t i = 0; i < 5 * kLogLinesPerSecond; ++i) LOG(INFO) << "line " << i;
  // It goes on.
  for (const std::string& line : Printed()) {
    EXPECT_THAT(line, Not(HasSubstr("the last of them: line 499")));
  }
  TickLog(time(nullptr) + 1);
  AwaitPrinted(" more lines were kept back, the last of them: line 499");
  EXPECT_THAT(Printed().back(), HasSubstr(" log_format_test.cc:"));
}

TEST_F(Log, WhatWasSaidOnceIsNotSaidAgain) {
  StartIt(LogFormat::kText);
  for (uint32_t i = 0; i < 2 * kLogLinesPerSecond; ++i) LOG(INFO) << "flood";
  const size_t before = Lines().size();
  EXPECT_EQ(Lines().size(), before);
}

TEST_F(Log, LinesAreCountedBySeverity) {
  StartIt(LogFormat::kText);
  LOG(INFO) << "a";
  LOG(WARNING) << "b";
  LOG(WARNING) << "c";
  LOG(ERROR) << "d";
  EXPECT_EQ(ReadLogCounts().info, 1u);
  EXPECT_EQ(ReadLogCounts().warning, 2u);
  EXPECT_EQ(ReadLogCounts().error, 1u);
}

TEST_F(Log, WhatIsLostWhileNobodyReadsIsCountedAndSaidLater) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  StartLogFormat(LogFormat::kText, "prog", ends[1]);
  const std::string kilobytes(15000, 'x');
  for (uint32_t i = 0; i < kLogLinesPerSecond; ++i) LOG(INFO) << kilobytes;
  EXPECT_GE(ReadLogCounts().lost, 10u);
  std::string all;
  char buffer[65536];
  while (!absl::StrContains(all, " lines were lost: nobody read the log fast enough")) {
    TickLog();
    const ssize_t n = read(ends[0], buffer, sizeof(buffer));
    ASSERT_GT(n, 0);
    all.append(buffer, n);
  }
  StartIt(LogFormat::kText);
  close(ends[0]);
  close(ends[1]);
}

TEST(LogDeathTest, WhatEndsTheProgramIsSaid) {
  EXPECT_DEATH(
      {
        StartLogFormat(LogFormat::kText, "prog");
        LOG(FATAL) << "the last word";
      },
      "the last word");
}

}  // namespace
}  // namespace baton

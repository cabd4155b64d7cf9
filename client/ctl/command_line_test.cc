// What a shell is told when it asks how a line may go on.
#include "client/ctl/command_line.h"

#include "client/ctl/run_fixture.h"

namespace baton::ctl {
namespace {

class CommandLineTest : public RunTest {
 protected:
  std::string Complete(std::vector<std::string> words) {
    words.insert(words.begin(), std::string(kCompleteWord));
    EXPECT_EQ(Ctl(words), kExitOk);
    return out();
  }
};

TEST_F(CommandLineTest, NamesOfServersAreAskedFor) {
  answers_.servers = Text<v1::ListServersResponse>(
      "servers { name: 'prefill-a' } servers { name: 'prefill-b' } servers { name: 'decode-a' }");
  environment_["BATON_BOOTSTRAP"] = "registry:1";
  EXPECT_EQ(Complete({"server", "describe", "pre"}), "prefill-a\nprefill-b\n");
  EXPECT_EQ(options_.bootstrap, "registry:1");
  EXPECT_LE(options_.timeout_ms, 500u) << "who waits for a completion does not wait long";
  EXPECT_EQ(Complete({"route", "explain", "prefill-a", "d"}), "decode-a\n");
  answers_.status = Error(Reason::kPeerLost, "away");
  EXPECT_EQ(Complete({"server", "describe", ""}), "");
}

TEST_F(CommandLineTest, FlagsBetweenTheWordsOfAVerbDoNotHideIt) {
  EXPECT_EQ(Complete({"-o", "json", "server", "--bootstrap=x:1", "li"}), "list\n");
  EXPECT_EQ(Complete({"room", "--failed", "li"}), "list\n") << "a flag without a value";
}

TEST_F(CommandLineTest, WhatCannotGoOnCompletesToNothing) {
  EXPECT_EQ(Complete({"room", "abort", "4"}), "");
  EXPECT_EQ(Complete({"nonsense", ""}), "");
  EXPECT_EQ(Complete({"server", "list", "--nosuch="}), "");
}

TEST(CommandLine, FindsTheVerbWhereverFlagsStand) {
  EXPECT_EQ(FindCommand(PlainWords({"--timeout_ms", "5", "agent", "-o", "json", "status"}))->words,
            "agent status");
  EXPECT_EQ(FindCommand(PlainWords({"agent"})), nullptr);
}

}  // namespace
}  // namespace baton::ctl

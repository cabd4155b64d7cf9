// batonctl from words to exit status.
#include "client/ctl/run.h"

#include <gmock/gmock.h>

#include "client/ctl/commands.h"
#include "client/ctl/run_fixture.h"

namespace baton::ctl {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST_F(RunTest, VersionNeedsNoService) {
  answers_.status = Error(Reason::kPeerLost, "away");
  EXPECT_EQ(Ctl({"version"}), kExitOk);
  EXPECT_THAT(out(), StartsWith("WHAT      VERSION\nbatonctl  0.1.0\n"));
}

TEST_F(RunTest, ErrorsSayWhatToDoAndHaveAStatusEach) {
  const struct {
    absl::Status status;
    ExitCode code;
  } cases[] = {
      {Error(Reason::kUnknownServer, "no server 'x'"), kExitNotFound},
      {Error(Reason::kPeerLost, "cannot be reached"), kExitUnavailable},
      {Error(Reason::kDeadline, "too slow"), kExitUnavailable},
      {Error(Reason::kBadMessage, "of another version"), kExitError},
  };
  for (const auto& c : cases) {
    answers_.status = c.status;
    EXPECT_EQ(Ctl({"server", "describe", "x"}), c.code) << c.status;
    EXPECT_EQ(out(), "");
    EXPECT_THAT(err(), HasSubstr(std::string(ReasonHelp(ReasonOf(c.status)))));
  }
}

TEST_F(RunTest, WrongUsageNamesWhatThereIs) {
  EXPECT_EQ(Ctl({}), kExitUsage);
  EXPECT_THAT(err(), StartsWith("batonctl: a verb is missing; there are\n  batonctl server list"));
  EXPECT_EQ(Ctl({"server", "lst"}), kExitUsage);
  EXPECT_EQ(err(), R"(batonctl: no verb 'server lst'; there are
  batonctl server list [flags]
  batonctl server describe NAME [flags]
  batonctl server watch [NAME...] [flags]
  batonctl server drain NAME [flags]
batonctl help VERB says more
)");
  EXPECT_EQ(Ctl({"server", "describe"}), kExitUsage);
  EXPECT_EQ(err(),
            "batonctl: server describe takes NAME, not ''; see batonctl help server "
            "describe\n");
  EXPECT_EQ(Ctl({"server", "list", "more"}), kExitUsage);
  EXPECT_EQ(Ctl({"server", "list", "--failed"}), kExitUsage) << "a flag of another verb";
  EXPECT_THAT(err(), HasSubstr("unknown flag --failed"));
  EXPECT_EQ(Ctl({"server", "list", "-o", "yaml"}), kExitUsage);
  EXPECT_THAT(err(), HasSubstr("--output=yaml: none of table|wide|json"));
  EXPECT_EQ(Ctl({"room", "abort", "4x2"}), kExitUsage);
  EXPECT_THAT(err(), HasSubstr("'4x2' is no room: write ID or ID#NONCE"));
  for (const char* rank :
       {"decode-a", "decode-a[0/0/0/1]", "[dp0/pp0/cp0/tp0]", "a[dp0/pp0/cp0]"}) {
    EXPECT_EQ(Ctl({"room", "abort", "42", "--rank", rank}), kExitUsage) << rank;
  }
}

TEST_F(RunTest, EnvironmentCountsBelowTheCommandLine) {
  environment_["BATON_BOOTSTRAP"] = "registry:1";
  environment_["BATON_OUTPUT"] = "json";
  EXPECT_EQ(Ctl({"server", "list"}), kExitOk);
  EXPECT_EQ(options_.bootstrap, "registry:1");
  EXPECT_THAT(out(), StartsWith("{"));
  environment_["BATON_MODEL"] = "what the pod serves";
  EXPECT_EQ(Ctl({"server", "list", "--bootstrap", "other:2", "-o", "table"}), kExitOk);
  EXPECT_EQ(options_.model, "") << "not what an operator looks for";
  EXPECT_EQ(options_.bootstrap, "other:2");
  EXPECT_EQ(out(), "no server is registered\n");
}

TEST_F(RunTest, HelpTeaches) {
  EXPECT_EQ(Ctl({"help"}), kExitOk);
  EXPECT_THAT(out(), HasSubstr("Why does a request hang?"));
  for (const Command* command : AllCommands()) {
    EXPECT_THAT(out(), HasSubstr(std::string(command->words)));
  }
  for (const std::vector<std::string>& args :
       {std::vector<std::string>{"help", "room", "abort"}, {"room", "abort", "--help"}}) {
    EXPECT_EQ(Ctl(args), kExitOk);
    EXPECT_THAT(out(), StartsWith("batonctl room abort ROOM [flags]\n\nFails a room"));
    EXPECT_THAT(out(), HasSubstr("--why=text"));
    EXPECT_THAT(out(), HasSubstr("--service_socket=path"));
  }
  EXPECT_EQ(Ctl({"help", "roam"}), kExitUsage);
}

TEST_F(RunTest, HelpNamesTheFlagsThatAreEnvironmentVariables) {
  EXPECT_EQ(Ctl({"help", "server", "list"}), kExitOk);
  EXPECT_THAT(out(), HasSubstr("Environment variables too (--bootstrap is BATON_BOOTSTRAP): "
                               "--flagfile, --output, --bootstrap, --service_socket, --agent, "
                               "--timeout_ms.\nEvery flag can be a line of --flagfile.\n"));
  EXPECT_THAT(out(), testing::Not(HasSubstr("Each flag")));
  EXPECT_EQ(Ctl({"help", "doctor"}), kExitOk);
  EXPECT_THAT(out(), HasSubstr("Each flag is also an environment variable of the agent"));
}

}  // namespace
}  // namespace baton::ctl

#include "common/config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "common/reason.h"

namespace baton {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Config : public ::testing::Test {
 protected:
  Config() : table_("prog", "Does a thing.") {
    table_.Text("listen", &listen_, "host:port", "Address to serve on.", CheckHostPort);
    table_.Number("lease_ms", &lease_ms_, {100, 600000}, "ms", "Life of a lease.");
    table_.Number("bytes", &bytes_, {}, "bytes", "Room for bytes.");
    table_.Real("scale", &scale_, {0.1, 2}, "ratio", "Shrinks things.");
    table_.Bool("loud", &loud_, "Says more.");
    table_.Choice("transport", &transport_, {"auto", "tcp"}, "The path.");
    table_.List("rail", &rails_, "device", "A device to use.");
  }

  absl::StatusOr<ConfigArgs> Parse(std::vector<const char*> words) {
    words.insert(words.begin(), "prog");
    return table_.Parse(words.size(), words.data(), [this](const char* name) -> const char* {
      auto it = environment_.find(name);
      return it == environment_.end() ? nullptr : it->second.c_str();
    });
  }

  std::string ErrorOf(std::vector<const char*> words) {
    absl::StatusOr<ConfigArgs> args = Parse(std::move(words));
    if (args.ok()) return "no error";
    EXPECT_EQ(ReasonOf(args.status()), Reason::kConfig);
    return std::string(args.status().message());
  }

  std::string WriteFile(const std::string& text) {
    std::string path = ::testing::TempDir() + "/config_test.flags";
    std::ofstream(path) << text;
    return path;
  }

  std::map<std::string, std::string> environment_;
  std::string listen_ = "127.0.0.1:0";
  uint32_t lease_ms_ = 3000;
  uint64_t bytes_ = 0;
  double scale_ = 1;
  bool loud_ = false;
  std::string transport_ = "auto";
  std::vector<std::string> rails_;
  ConfigTable table_;
};

TEST_F(Config, KeepsTheDefaultOfWhatIsNotGiven) {
  ASSERT_TRUE(Parse({}).ok());
  EXPECT_EQ(lease_ms_, 3000u);
  EXPECT_EQ(listen_, "127.0.0.1:0");
}

TEST_F(Config, ReadsEveryKindFromTheCommandLine) {
  auto args = Parse({"--listen=[::1]:80", "--lease-ms", "500", "--bytes=18446744073709551615",
                     "--scale=0.5", "verb", "--loud", "--transport=tcp", "--rail=a", "--rail=b",
                     "--", "--odd"});
  ASSERT_TRUE(args.ok()) << args.status();
  EXPECT_EQ(listen_, "[::1]:80");
  EXPECT_EQ(lease_ms_, 500u);
  EXPECT_EQ(bytes_, UINT64_MAX);
  EXPECT_EQ(scale_, 0.5);
  EXPECT_TRUE(loud_);
  EXPECT_EQ(transport_, "tcp");
  EXPECT_THAT(rails_, ElementsAre("a", "b"));
  EXPECT_THAT(args->positional, ElementsAre("verb", "--odd"));
}

TEST_F(Config, TheCommandLineBeatsTheEnvironmentWhichBeatsTheFile) {
  std::string path = WriteFile("# a comment\n\n--lease_ms=200\nscale = 0.2\nbytes=2\nloud\n");
  environment_ = {{"BATON_FLAGFILE", path},
                  {"BATON_LEASE_MS", "300"},
                  {"BATON_SCALE", "0.3"},
                  {"BATON_RAIL", "x,y"},
                  {"BATON_SOMEBODY_ELSES", "1"}};
  ASSERT_TRUE(Parse({"--lease_ms=400"}).ok());
  EXPECT_EQ(lease_ms_, 400u);
  EXPECT_EQ(scale_, 0.3);
  EXPECT_EQ(bytes_, 2u);
  EXPECT_TRUE(loud_);
  EXPECT_THAT(rails_, ElementsAre("x", "y"));
}

TEST_F(Config, AStrongerPlaceReplacesAList) {
  environment_ = {{"BATON_RAIL", "x,y"}};
  ASSERT_TRUE(Parse({"--rail=z"}).ok());
  EXPECT_THAT(rails_, ElementsAre("z"));
}

TEST_F(Config, ABadValueNamesTheFlagTheValueAndThePlace) {
  EXPECT_EQ(ErrorOf({"--lease_ms=fast"}), "--lease_ms=fast: not a whole number; Life of a lease.");
  EXPECT_THAT(ErrorOf({"--lease_ms=99"}), HasSubstr("--lease_ms=99: outside of 100 to 600000"));
  EXPECT_THAT(ErrorOf({"--lease_ms=-1"}), HasSubstr("--lease_ms"));
  EXPECT_THAT(ErrorOf({"--scale=nan"}), HasSubstr("outside of 0.1 to 2"));
  EXPECT_THAT(ErrorOf({"--loud=maybe"}), HasSubstr("neither true nor false"));
  EXPECT_THAT(ErrorOf({"--transport=udp"}), HasSubstr("none of auto|tcp"));
  EXPECT_THAT(ErrorOf({"--listen=::1"}), HasSubstr("not host:port"));
  EXPECT_THAT(ErrorOf({"--listen=host:70000"}), HasSubstr("not host:port"));
  environment_ = {{"BATON_LEASE_MS", "1"}};
  EXPECT_THAT(ErrorOf({}), HasSubstr("(from BATON_LEASE_MS)"));
}

TEST_F(Config, ABadLineOfTheFlagFileIsNamed) {
  std::string path = WriteFile("lease_ms=200\nlease=1\n");
  std::string flag = "--flagfile=" + path;
  EXPECT_THAT(ErrorOf({flag.c_str()}), HasSubstr("config_test.flags:2"));
  EXPECT_THAT(ErrorOf({"--flagfile=/nowhere"}), HasSubstr("--flagfile=/nowhere cannot be read"));
}

TEST_F(Config, AnUnknownFlagIsRefusedWithTheNearestOne) {
  EXPECT_THAT(ErrorOf({"--lease=5"}), HasSubstr("unknown flag --lease"));
  EXPECT_THAT(ErrorOf({"--lease=5"}), HasSubstr("did you mean --lease_ms"));
  EXPECT_EQ(ErrorOf({"--lease_ms"}), "--lease_ms needs a value");
}

TEST_F(Config, HelpNamesEveryRowAndStoresNothing) {
  auto args = Parse({"--lease_ms=500", "--help"});
  ASSERT_TRUE(args.ok());
  EXPECT_TRUE(args->help);
  EXPECT_EQ(lease_ms_, 3000u);
  EXPECT_THAT(table_.Help(), HasSubstr("--lease_ms=ms\n      Life of a lease. 100 to 600000. "
                                       "Default: 3000."));
  EXPECT_THAT(table_.Markdown(), HasSubstr("| `--transport` | `BATON_TRANSPORT` | choice |"));
  EXPECT_THAT(table_.Describe(), HasSubstr("lease_ms=3000"));
}

TEST_F(Config, AVariableThatNothingReadsIsNamedWithTheNearest) {
  const char* environment[] = {"BATON_LEASE_M=1",
                               "BATON_LISEN=x",
                               "BATON_WHATEVER_THAT=1",
                               "BATON_LEASE_MS=300",
                               "BATON_TIMEOUT_MS=1",
                               "BATON_REGISTRY_SERVICE_HOST=10.0.0.1",
                               "BATON_REGISTRY_PORT=x",
                               "BATON_REGISTRY_PORT_1_TCP_PROTO=tcp",
                               "HOME=/",
                               nullptr};
  EXPECT_THAT(
      table_.UnknownVariables(environment),
      ElementsAre("BATON_LEASE_M is set, and nothing reads it; did you mean BATON_LEASE_MS?",
                  "BATON_LISEN is set, and nothing reads it; did you mean BATON_LISTEN?",
                  "BATON_WHATEVER_THAT is set, and nothing reads it"));
}

TEST(Dialable, IsANameOrAnAddressWithAPort) {
  for (const char* good : {"host:1", "a.b-c_d:0", "10.0.0.1:7000", "[::1]:7", "[fe80::1]:7"}) {
    EXPECT_EQ(CheckDialable(good), "") << good;
  }
  for (const char* bad : {"", "host", "127.0.0.1", ":1", "0.0.0.0:1", "[::]:1", "[0::0]:1", "[x]:1",
                          "[::1:1", "x y:1", "x\ny:1", "\x1b[1m:1", "host:70000", "::1:5"}) {
    EXPECT_NE(CheckDialable(bad), "") << bad;
  }
  EXPECT_EQ(CheckPeerAddress("host:10"), "");
  EXPECT_NE(CheckPeerAddress("host:0"), "");
}

}  // namespace
}  // namespace baton

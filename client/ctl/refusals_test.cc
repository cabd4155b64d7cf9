// What batonctl prints of layouts that cannot be, or cannot be together.
#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "baton/v1/topology.pb.h"
#include "client/ctl/run_fixture.h"

namespace baton::ctl {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;

constexpr char kLlama[] = "docs/examples/llama3_8b_tp2.txtpb";
constexpr char kDeepseek[] = "docs/examples/deepseek_v3_tp8.txtpb";
constexpr char kSeeTheField[] =
    "  INCOMPATIBLE: the two servers cannot work together: see the field that is named\n";

std::string TextOf(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  EXPECT_NE(text.str(), "") << path;
  return text.str();
}

class PlanRefusals : public RunTest {
 protected:
  PlanRefusals() : path_(testing::TempDir() + "/refused.txtpb") {}
  ~PlanRefusals() override { unlink(path_.c_str()); }

  // Llama as it is hands over to what is made of it.
  ExitCode PlanTo(const std::string& text) {
    std::ofstream(path_) << text;
    return Ctl({"plan", "explain", "--prefill", kLlama, "--decode", path_});
  }
  ExitCode PlanTo(absl::string_view what, absl::string_view by) {
    const std::string text = TextOf(kLlama);
    EXPECT_THAT(text, HasSubstr(std::string(what)));
    return PlanTo(absl::StrReplaceAll(text, {{what, by}}));
  }

  const std::string path_;
};

TEST_F(PlanRefusals, LayoutsThatDoNotFitAreNamedByFieldAndBothValues) {
  EXPECT_EQ(PlanTo("dtype: \"bf16\"", "dtype: \"fp8\""), kExitError);
  EXPECT_EQ(err(), absl::StrCat("batonctl: tensor K: dtype: source has bf16, target has fp8\n",
                                kSeeTheField));
  EXPECT_EQ(out(), "") << "no half of a plan";
  EXPECT_EQ(PlanTo("heads: 8", "heads: 4"), kExitError);
  EXPECT_EQ(err(),
            absl::StrCat("batonctl: tensor K: heads: source has 8, target has 4\n", kSeeTheField));
}

TEST_F(PlanRefusals, ModelsOfTwoKindsAreNamedByTheTensorThatIsMissing) {
  EXPECT_EQ(Ctl({"plan", "explain", "--prefill", kLlama, "--decode", kDeepseek}), kExitError);
  EXPECT_EQ(err(), absl::StrCat("batonctl: tensor LATENT: source has none, target has it\n",
                                kSeeTheField));
}

TEST_F(PlanRefusals, AFileThatIsNoTopologySaysWhereItIsWrong) {
  EXPECT_EQ(PlanTo("spec { sizes { tp: 2 } stages"), kExitUsage);
  EXPECT_EQ(err(), absl::StrCat("batonctl: --decode: ", path_,
                                ", line 1, column 30: Expected \"{\", found \"\".\n"));
  EXPECT_EQ(PlanTo("page_style: PAGE_STYLE_TOKEN_MAJOR", "page_style: 7"), kExitUsage);
  EXPECT_EQ(err(), absl::StrCat("batonctl: --decode: ", path_,
                                ": pool.page_style is 7, which is none of its values "
                                "(proto/baton/v1/topology.proto)\n"));
}

TEST_F(PlanRefusals, ALayoutThatCannotBeNamesTheField) {
  EXPECT_EQ(PlanTo("page_tokens: 16", "page_tokens: 0"), kExitUsage);
  EXPECT_EQ(err(), absl::StrCat("batonctl: --decode: ", path_,
                                ": page_groups[0].page_tokens: 0 is not in [1, 1048576]\n"));
  EXPECT_EQ(PlanTo("tp: 2", "tp: 0"), kExitUsage);
  EXPECT_EQ(err(),
            absl::StrCat("batonctl: --decode: ", path_, ": sizes.tp: 0 is not in [1, 4096]\n"));
}

TEST_F(PlanRefusals, FilesAndNumbersThatCannotBeUsedNameTheirFlag) {
  EXPECT_EQ(Ctl({"plan", "explain", "--prefill", kLlama}), kExitUsage);
  EXPECT_EQ(err(), "batonctl: plan explain: want --prefill FILE and --decode FILE\n");
  EXPECT_EQ(Ctl({"plan", "explain", "--prefill", kLlama, "--decode", "/nonexistent"}), kExitUsage);
  EXPECT_EQ(err(), "batonctl: --decode: cannot read /nonexistent\n");
  EXPECT_EQ(PlanTo(std::string((1 << 20) + 1, '#')), kExitUsage);
  EXPECT_EQ(err(), absl::StrCat("batonctl: --decode: ", path_, " is above 1 MiB\n"));
  EXPECT_EQ(
      Ctl({"plan", "explain", "--prefill", kLlama, "--decode", kLlama, "--tokens=8", "--prefix=9"}),
      kExitUsage);
  EXPECT_EQ(err(), "batonctl: --prefix: larger than --tokens\n");
}

class RouteRefusals : public RunTest {
 protected:
  RouteRefusals() {
    *answers_.route.mutable_prefill() = Server("p", v1::ROLE_PREFILL, TextOf(kLlama));
    *answers_.route.mutable_decode() = Server("d", v1::ROLE_DECODE, TextOf(kLlama));
  }
  static v1::ServerRecord Server(const std::string& name, v1::Role role, const std::string& text) {
    v1::ServerRecord server;
    server.set_name(name);
    server.set_role(role);
    server.set_model("llama");
    server.set_state(v1::SERVER_STATE_READY);
    server.add_ranks();
    server.add_ranks();
    *server.mutable_spec() = Text<v1::Topology>(text).spec();
    return server;
  }
  ExitCode Route() { return Ctl({"route", "explain", "p", "d"}); }
};

TEST_F(RouteRefusals, APairThatFitsMayBePicked) {
  EXPECT_EQ(Route(), kExitOk);
  EXPECT_EQ(out(), R"(WHAT   p                d                    WHY
role   prefill          decode           ok
model  llama            llama            ok
state  ready            ready            ok
ranks  2/2              2/2              ok
sizes  dp1 pp1 cp1 tp2  dp1 pp1 cp1 tp2  ok

routers may pick this pair
)");
}

TEST_F(RouteRefusals, LayoutsThatDoNotFitAreNamedByFieldAndBothValues) {
  *answers_.route.mutable_decode() =
      Server("d", v1::ROLE_DECODE, absl::StrReplaceAll(TextOf(kLlama), {{"\"bf16\"", "\"fp8\""}}));
  EXPECT_EQ(Route(), kExitError);
  EXPECT_EQ(out(), R"(WHAT             p                d                    WHY
role             prefill          decode           ok
model            llama            llama            ok
state            ready            ready            ok
ranks            2/2              2/2              ok
sizes            dp1 pp1 cp1 tp2  dp1 pp1 cp1 tp2  ok
tensor K: dtype  bf16             fp8              NO)"
                   "  INCOMPATIBLE: the two servers cannot work together: see the field that is "
                   "named\n\nrouters do not pick this pair\n");
}

TEST_F(RouteRefusals, AServersOwnTroubleIsNamedBesideTheOthersHealth) {
  answers_.route.mutable_decode()->mutable_spec()->mutable_page_groups(0)->set_page_tokens(0);
  answers_.route.mutable_prefill()->set_state(v1::SERVER_STATE_DRAINING);
  EXPECT_EQ(Route(), kExitError);
  EXPECT_THAT(out(), ContainsRegex("state  DRAINING +READY +NO  DRAINING: pick another server\n"));
  EXPECT_THAT(out(),
              ContainsRegex("spec   valid +page_groups\\[0\\].page_tokens: 0 is not in \\[1, "
                            "1048576\\]  NO  BAD_SPEC: correct the field that is named\n"));
  EXPECT_THAT(out(), HasSubstr("\nrouters do not pick this pair\n"));
}

}  // namespace
}  // namespace baton::ctl

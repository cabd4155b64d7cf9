// batonctl doctor over a machine that is made up. What each check finds is tested beside the
// checks.
#include <gmock/gmock.h>

#include "client/ctl/run_fixture.h"

namespace baton::ctl {
namespace {

using testing::HasSubstr;

class DoctorTest : public RunTest {
 protected:
  DoctorTest() {
    answers_.host.files["/run/baton/x"] = "";
    answers_.servers.set_unix_ms(1);
  }
};

TEST_F(DoctorTest, ShowsCauseAndCureAndEndsWellWithWarnings) {
  answers_.host.limit.open_files = 1000;
  EXPECT_EQ(Ctl({"doctor"}), kExitOk) << err() << out();
  EXPECT_THAT(out(), HasSubstr("open files    warn  RLIMIT_NOFILE is 1000"));
  EXPECT_THAT(out(), HasSubstr("memfd         ok    sealed memfds can be made\n"));
  EXPECT_THAT(out(), HasSubstr("clock         warn  the bootstrap service is -"));
  EXPECT_THAT(out(), HasSubstr("\n0 failed, 2 could be better\n"));
}

TEST_F(DoctorTest, AFailIsAnExitStatusAndAFieldForScripts) {
  EXPECT_EQ(Ctl({"doctor", "--transport=verbs", "-o", "json"}), kExitError);
  EXPECT_THAT(out(), HasSubstr("\"verdict\": \"CHECK_VERDICT_FAIL\""));
  EXPECT_THAT(out(), HasSubstr("\"failed\": 1"));
  EXPECT_EQ(err(), "");
}

TEST_F(DoctorTest, HasTheAgentsSettingsFromTheEnvironment) {
  environment_["BATON_TRANSPORT"] = "verbs";
  environment_["BATON_ATTACH_SOCKET"] = "/else/where/a.sock";
  EXPECT_EQ(Ctl({"doctor"}), kExitError);
  EXPECT_THAT(out(), HasSubstr("device nodes  FAIL  --transport=verbs, and the kernel has no"));
  EXPECT_THAT(out(), HasSubstr("/else/where is no folder"));
  environment_["BATON_VERBS_GID_INDEX"] = "x";
  EXPECT_EQ(Ctl({"doctor"}), kExitUsage);
  EXPECT_THAT(err(), HasSubstr("--verbs_gid_index=x is no index"));
}

TEST_F(DoctorTest, ABootstrapServiceThatIsAwayIsAFinding) {
  answers_.status = Error(Reason::kPeerLost, "nobody listens");
  EXPECT_EQ(Ctl({"doctor"}), kExitError);
  EXPECT_THAT(out(), HasSubstr("bootstrap     FAIL  nobody listens"));
}

TEST_F(DoctorTest, NoCallTakesLongerThanASecondWhateverTheFlagSays) {
  EXPECT_EQ(Ctl({"doctor", "--timeout_ms=60000"}), kExitOk) << err() << out();
  EXPECT_EQ(options_.timeout_ms, 1000u);
  EXPECT_EQ(Ctl({"doctor", "--timeout_ms=20"}), kExitOk);
  EXPECT_EQ(options_.timeout_ms, 20u);
  EXPECT_EQ(Ctl({"server", "list", "--timeout_ms=60000"}), kExitOk);
  EXPECT_EQ(options_.timeout_ms, 60000u) << "other verbs wait as long as they are told";
}

TEST_F(DoctorTest, WideShowsWhatTheChoiceWasMadeFrom) {
  transport::verbs::PortListing port;
  port.device = "mlx5_0";
  port.active = port.infiniband = true;
  port.lid = 7;
  answers_.host.ports = {port};
  EXPECT_EQ(Ctl({"doctor", "-o", "wide"}), kExitOk) << out();
  EXPECT_THAT(out(), HasSubstr("gid choice:\nCANDIDATE\nmlx5_0/1 InfiniBand lid 7: taken\n"));
}

}  // namespace
}  // namespace baton::ctl

// The machine itself: a made-up sysfs, limits of a child, devices in memory, sockets of this host.
#include "transfer_agent/checks/host.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "common/reason.h"
#include "common/unique_fd.h"
#include "transfer_agent/checks/checks.h"
#include "transfer_agent/checks/network.h"
#include "transfer_agent/transport/verbs/fake_provider/fake_net.h"

namespace baton::checks {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using transport::verbs::FakeNet;

class HostTest : public testing::Test {
 protected:
  HostTest() {
    char name[] = "/tmp/baton-checks.XXXXXX";
    root_ = mkdtemp(name);
  }
  ~HostTest() override { std::filesystem::remove_all(root_); }
  void Write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(root_ + path).parent_path());
    std::ofstream(root_ + path) << text;
  }
  static v1::CheckFinding Find(const Findings& findings, const std::string& check) {
    for (const v1::CheckFinding& finding : findings) {
      if (finding.check() == check) return finding;
    }
    return {};
  }

  std::string root_;
};

TEST_F(HostTest, ReadsBelowItsRootAlone) {
  Write("/sys/class/net/eth0/mtu", "9000\n");
  Write("/sys/class/net/eth1/mtu", "1500\n");
  auto host = MakeHost(root_);
  EXPECT_EQ(host->Read("/sys/class/net/eth0/mtu"), "9000");
  EXPECT_EQ(host->Read("/sys/class/net/eth7/mtu"), std::nullopt);
  EXPECT_THAT(host->List("/sys/class/net"), ElementsAre("eth0", "eth1"));
  EXPECT_THAT(host->List("/proc"), ElementsAre());
  EXPECT_TRUE(host->IsFolder("/sys"));
  EXPECT_FALSE(host->IsFolder("/sys/class/net/eth0/mtu"));
  EXPECT_TRUE(host->MayUse("/sys/class/net/eth0/mtu"));
  EXPECT_FALSE(host->MayUse("/dev/infiniband/uverbs0"));
  EXPECT_GT(*host->FileSystemBytes("/sys"), 0u);
  EXPECT_EQ(host->FileSystemBytes("/no"), std::nullopt);
}

TEST_F(HostTest, ADeviceOfAMadeUpSysfsThatIsNotInDevFails) {
  Write("/sys/class/infiniband_verbs/uverbs0/dev", "231:192");
  std::filesystem::create_directories(root_ + "/run/baton");
  FakeNet net;
  net.AddDevice({});
  auto host = MakeHost(root_, net.NewProvider());
  Settings settings;
  settings.transport = "verbs";
  settings.attach_socket = settings.service_socket = "/run/baton/x.sock";
  const Findings findings = CheckHost(settings, *host);
  EXPECT_EQ(Find(findings, "device nodes").verdict(), v1::CHECK_VERDICT_FAIL);
  EXPECT_THAT(Find(findings, "device nodes").cause(), HasSubstr("/dev/infiniband/uverbs0 is not"));
  EXPECT_EQ(Find(findings, "memfd").verdict(), v1::CHECK_VERDICT_OK);
  EXPECT_EQ(Find(findings, "sockets").verdict(), v1::CHECK_VERDICT_OK);
}

TEST_F(HostTest, AsksEachDeviceWhetherItKnowsDmaBufs) {
  FakeNet net;
  transport::verbs::FakeDeviceSpec newer, older;
  newer.name = "new0";
  older.name = "old0";
  older.dma_buf = false;
  net.AddDevice(newer);
  net.AddDevice(older);
  auto host = MakeHost("", net.NewProvider());
  EXPECT_EQ(host->Ports().size(), 2u);
  EXPECT_TRUE(host->TryDmaBuf("new0").ok()) << host->TryDmaBuf("new0");
  const absl::Status status = host->TryDmaBuf("old0");
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr("registering a dma-buf"));
  EXPECT_FALSE(host->TryDmaBuf("no-such").ok());
  EXPECT_EQ(net.objects(), 0) << "everything is given back";
}

// The verdict of a check in a child whose limit is lowered first.
v1::CheckVerdict InChild(__rlimit_resource resource, rlim_t limit, const std::string& check) {
  const pid_t child = fork();
  if (child == 0) {
    const rlimit low = {limit, limit};
    // Without the capability the limit counts, as for a container that does not have it.
    setrlimit(resource, &low);
    FakeNet net;
    net.AddDevice({});
    auto host = MakeHost("", net.NewProvider());
    Settings settings;
    settings.transport = "verbs";
    settings.attach_socket = settings.service_socket = "/tmp/x.sock";
    for (const v1::CheckFinding& finding : CheckHost(settings, *host)) {
      if (finding.check() == check) _exit(finding.verdict());
    }
    _exit(0);
  }
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  return static_cast<v1::CheckVerdict>(WEXITSTATUS(status));
}

TEST_F(HostTest, AChildWithFewDescriptorsFails) {
  EXPECT_EQ(InChild(RLIMIT_NOFILE, 100, "open files"), v1::CHECK_VERDICT_FAIL);
  EXPECT_EQ(InChild(RLIMIT_NOFILE, 1000, "open files"), v1::CHECK_VERDICT_WARN);
}

TEST_F(HostTest, AChildThatMayPinLittleFailsUnlessItHasTheCapability) {
  const v1::CheckVerdict verdict = InChild(RLIMIT_MEMLOCK, 1 << 20, "memlock");
  const std::string status = MakeHost("")->Read("/proc/self/status").value_or("");
  uint64_t effective = 0;
  const size_t at = status.find("CapEff:");
  ASSERT_NE(at, std::string::npos);
  effective = std::stoull(status.substr(at + 7), nullptr, 16);
  const bool capable = (effective >> 14 & 1) != 0;
  EXPECT_EQ(verdict, capable ? v1::CHECK_VERDICT_OK : v1::CHECK_VERDICT_FAIL);
}

TEST(Network, TellsWhoListensFromWhoDoesNot) {
  UniqueFd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(bind(listener.get(), generic, size), 0);
  ASSERT_EQ(getsockname(listener.get(), generic, &size), 0);
  const std::string here = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  // Bound and not listening: refused.
  constexpr auto kLimit = std::chrono::milliseconds(20000);
  EXPECT_FALSE(ConnectToAll({here}, kLimit)[0].ok());
  ASSERT_EQ(listen(listener.get(), 4), 0);
  const auto both = ConnectToAll({here, "no-such-name.invalid:1"}, kLimit);
  EXPECT_TRUE(both[0].ok()) << both[0];
  EXPECT_EQ(ReasonOf(both[1]), Reason::kConfig) << both[1];
  EXPECT_TRUE(ConnectToAll({}, kLimit).empty());
}

TEST(Network, ResolvesNumbersAndNamesNobodyHasAreRefused) {
  constexpr auto kLimit = std::chrono::milliseconds(20000);
  EXPECT_TRUE(ResolveName("127.0.0.1", kLimit).ok());
  const absl::Status status = ResolveName("no-such-name.invalid", kLimit);
  EXPECT_THAT(std::string(status.message()), HasSubstr("'no-such-name.invalid' does not resolve"));
  EXPECT_EQ(SplitHostPort("[fe80::1]:7400").first, "fe80::1");
  EXPECT_EQ(SplitHostPort("[fe80::1]:7400").second, "7400");
}

}  // namespace
}  // namespace baton::checks

// Every way in which a check warns or fails, on a machine that is made up for it.
#include "transfer_agent/checks/checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/clock.h"
#include "common/reason.h"
#include "transfer_agent/checks/fake_host.h"

namespace baton::checks {
namespace {

using testing::HasSubstr;
using transport::verbs::GidListing;
using transport::verbs::GidType;
using transport::verbs::PortListing;

constexpr char kRoot[] = "CapEff:\t0000000000000000\nNoNewPrivs:\t0\nCpus_allowed_list:\t0-3\n";

class ChecksTest : public testing::Test {
 protected:
  // A machine on which all is well.
  ChecksTest() {
    host_.files = {{"/sys/class/infiniband_verbs/uverbs0/dev", "231:192"},
                   {"/dev/infiniband/uverbs0", ""},
                   {"/sys/class/infiniband/mlx5_0/ports/1/rate", "100 Gb/sec (4X EDR)"},
                   {"/sys/class/infiniband/mlx5_0/ports/1/state", "4: ACTIVE"},
                   {"/sys/class/infiniband/mlx5_0/ports/1/phys_state", "5: LinkUp"},
                   {"/sys/class/net/eth0/mtu", "9000"},
                   {"/sys/devices/system/node/node0/cpulist", "0-3"},
                   {"/proc/self/status", kRoot},
                   {"/run/baton/x", ""}};
    host_.ports = {Port("mlx5_0")};
    settings_.attach_socket = "/run/baton/attach.sock";
    settings_.service_socket = "/run/baton/agent.sock";
    settings_.bootstrap = "registry:7411";
  }

  static PortListing Port(const std::string& device) {
    PortListing port;
    port.device = device;
    port.active = true;
    port.mtu_bytes = 4096;
    port.numa_node = 0;
    GidListing gid;
    gid.index = 3;
    gid.bytes = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 7};
    gid.type = GidType::kRoceV2;
    gid.netdev = "eth0";
    port.gids = {gid};
    return port;
  }

  // Of the host's checks, and of the network's.
  v1::CheckFinding Find(const std::string& check) {
    Findings all = CheckHost(settings_, host_);
    Findings network = CheckNetwork(settings_, host_, [this] { return servers_; });
    all.insert(all.end(), network.begin(), network.end());
    for (const v1::CheckFinding& finding : all) {
      // Whatever is amiss has a cure, and nothing has two lines.
      EXPECT_EQ(finding.cure().empty(), finding.verdict() == v1::CHECK_VERDICT_OK);
      EXPECT_EQ((finding.cause() + finding.cure()).find('\n'), std::string::npos);
      EXPECT_FALSE(finding.cause().empty());
    }
    for (const v1::CheckFinding& finding : all) {
      if (finding.check() == check) return finding;
    }
    return {};
  }
  void Expect(const std::string& check, v1::CheckVerdict verdict, const std::string& cause,
              const std::string& cure = "") {
    const v1::CheckFinding found = Find(check);
    EXPECT_EQ(found.verdict(), verdict) << check << ": " << found.cause();
    EXPECT_THAT(found.cause(), HasSubstr(cause));
    EXPECT_THAT(found.cure(), HasSubstr(cure));
  }
  static constexpr auto kOk = v1::CHECK_VERDICT_OK;
  static constexpr auto kWarn = v1::CHECK_VERDICT_WARN;
  static constexpr auto kFail = v1::CHECK_VERDICT_FAIL;

  FakeHost host_;
  Settings settings_;
  absl::StatusOr<v1::ListServersResponse> servers_ = v1::ListServersResponse();
};

TEST_F(ChecksTest, AllIsWellWhereAllIsWell) {
  for (const char* transport : {"auto", "verbs", "tcp", "shm"}) {
    settings_.transport = transport;
    for (const v1::CheckFinding& finding : CheckHost(settings_, host_)) {
      EXPECT_EQ(finding.verdict(), kOk) << transport << " " << finding.DebugString();
    }
  }
  settings_.transport = "auto";
  Expect("ports", kOk, "mlx5_0/1 100 Gb/sec (4X EDR)");
  EXPECT_EQ(Find("gid choice").details_size(), 1);
  EXPECT_THAT(Find("gid choice").cause(), HasSubstr("RoCE v2 gid 3 10.0.0.7 on eth0"));
}

TEST_F(ChecksTest, WithoutADeviceAutoIsWellAndVerbsIsNot) {
  host_.files.erase("/sys/class/infiniband_verbs/uverbs0/dev");
  host_.ports.clear();
  Expect("device nodes", kOk, "pages go by tcp and shm");
  EXPECT_EQ(Find("ports").check(), "") << "nothing to say of none";
  settings_.transport = "verbs";
  Expect("device nodes", kFail, "the kernel has no RDMA device", "load the NIC's driver");
}

transport::cuda::GpuListing TwoGpus() {
  return {.driver = "13.0",
          .gpus = {{0, "GPU-00", "NVIDIA H200", false, true},
                   {1, "GPU-01", "NVIDIA H200", false, true}},
          .apart = {}};
}

TEST_F(ChecksTest, WithoutAGpuAutoIsWellAndCudaIsNot) {
  EXPECT_EQ(Find("GPUs").check(), "") << "nothing to say of none";
  settings_.transport = "cuda";
  Expect("GPUs", kFail, "GPU pools cannot go by cuda: there is no driver",
         "NVIDIA_VISIBLE_DEVICES");
}

TEST_F(ChecksTest, AGpuWhoseDriverDoesNotDoIsNamedWithAutoToo) {
  host_.files["/dev/nvidiactl"] = "";
  host_.gpus = Error(Reason::kNoTransport, "the CUDA driver is too old");
  Expect("GPUs", kWarn, "the CUDA driver is too old", "another --transport");
}

TEST_F(ChecksTest, GpusAreListedWithTheirDriver) {
  host_.gpus = TwoGpus();
  Expect("GPUs", kOk, "2 x NVIDIA H200, driver of CUDA 13.0, all reach one another");
  EXPECT_EQ(Find("GPUs").details_size(), 2);
}

TEST_F(ChecksTest, GpusThatDoNotReachOneAnotherAreNamed) {
  host_.gpus = TwoGpus();
  host_.gpus->apart = {{0, 1}};
  Expect("GPUs", kWarn, "without access to one another's memory: 0 and 1", "nvidia-smi topo");
}

TEST_F(ChecksTest, AGpuForOneProcessAloneIsNamed) {
  host_.gpus = TwoGpus();
  host_.gpus->gpus[1].exclusive = true;
  settings_.transport = "cuda";
  Expect("GPUs", kFail, "GPU 1, GPU-01, is for one process alone", "-i GPU-01 -c DEFAULT");
}

TEST_F(ChecksTest, ADeviceThatIsNotInTheContainerIsNamed) {
  host_.files.erase("/dev/infiniband/uverbs0");
  Expect("device nodes", kWarn, "/dev/infiniband/uverbs0 is not in this container", "rdma/");
  settings_.transport = "verbs";
  Expect("device nodes", kFail, "/dev/infiniband/uverbs0 is not in this container", "rdma/");
}

TEST_F(ChecksTest, ADeviceWithoutPermissionIsNamed) {
  host_.closed = {"/dev/infiniband/uverbs0"};
  Expect("device nodes", kWarn, "uverbs0 may not be read and written", "cgroup");
  settings_.transport = "verbs";
  Expect("device nodes", kFail, "uverbs0 may not be read and written", "cgroup");
}

TEST_F(ChecksTest, APortThatIsDownSaysInWhichState) {
  host_.ports[0].active = false;
  host_.files["/sys/class/infiniband/mlx5_0/ports/1/state"] = "1: DOWN";
  host_.files["/sys/class/infiniband/mlx5_0/ports/1/phys_state"] = "3: Disabled";
  Expect("ports", kWarn, "no port is up: mlx5_0/1 is 1: DOWN, link 3: Disabled", "cable");
  settings_.transport = "verbs";
  Expect("ports", kFail, "no port is up", "cable");
  host_.ports.push_back(Port("mlx5_1"));
  Expect("ports", kWarn, "but mlx5_0/1 is 1: DOWN", "--verbs_devices");
}

TEST_F(ChecksTest, ASlowOrUnequalLinkIsAWarning) {
  host_.files["/sys/class/infiniband/mlx5_0/ports/1/rate"] = "2.5 Gb/sec (1X SDR)";
  Expect("ports", kWarn, "slow: mlx5_0/1 2.5 Gb/sec", "lower rate");
  host_.files["/sys/class/infiniband/mlx5_0/ports/1/rate"] = "100 Gb/sec (4X EDR)";
  host_.ports.push_back(Port("mlx5_1"));
  host_.files["/sys/class/infiniband/mlx5_1/ports/1/rate"] = "25 Gb/sec (1X EDR)";
  Expect("ports", kWarn, "of different rates", "--verbs_devices");
}

TEST_F(ChecksTest, APortWithoutAnAddressSaysWhyEachIsOfNoUse) {
  host_.ports[0].gids[0].netdev.clear();
  Expect("gid choice", kWarn, "has no interface in this namespace", "--verbs_gid_index");
  settings_.transport = "verbs";
  Expect("gid choice", kFail, "has no interface in this namespace", "--verbs_gid_index");
  settings_.wishes.gid_index = 9;
  Expect("gid choice", kFail, "no gid 9");
}

TEST_F(ChecksTest, SmallAndUnequalPacketsAreAWarning) {
  host_.ports[0].mtu_bytes = 1024;
  host_.files["/sys/class/net/eth0/mtu"] = "1500";
  Expect("mtu", kWarn, "below 4096: mlx5_0/1 1024 bytes (eth0 1500)", "4200 or more");
  host_.ports.push_back(Port("mlx5_1"));
  Expect("mtu", kWarn, "rails differ", "one MTU");
}

TEST_F(ChecksTest, MemoryThatMayNotBePinnedFailsWithTheCureThatFits) {
  host_.limit.memlock_bytes = 8 << 20;
  Expect("memlock", kFail, "RLIMIT_MEMLOCK is 8 MiB for uid 0", "IPC_LOCK to the container");
  host_.limit.uid = 1000;
  Expect("memlock", kFail, "for uid 1000", "setcap cap_ipc_lock+ep");
  host_.files["/proc/self/status"] = "CapEff:\t0000000000000000\nNoNewPrivs:\t1\n";
  Expect("memlock", kFail, "for uid 1000", "allowPrivilegeEscalation");
  host_.limit.memlock_bytes = 1 << 30;
  Expect("memlock", kWarn, "larger pools are refused", "LimitMEMLOCK");
  host_.files["/proc/self/status"] = "CapEff:\t0000000000004000\n";
  Expect("memlock", kOk, "CAP_IPC_LOCK is effective");
  host_.limit.memlock_bytes.reset();
  Expect("memlock", kOk, "unlimited");
}

TEST_F(ChecksTest, WhoPinsNothingNeedsNoLimit) {
  host_.limit.memlock_bytes = 64 << 10;
  settings_.transport = "tcp";
  Expect("memlock", kOk, "only verbs pins memory");
  settings_.transport = "verbs";
  host_.ports.clear();
  Expect("memlock", kFail, "no pool can be registered", "IPC_LOCK");
}

TEST_F(ChecksTest, ADriverWithoutDmaBufIsAWarning) {
  host_.dma_buf = SystemError("mlx5_0: registering a dma-buf", EOPNOTSUPP);
  Expect("dma-buf", kWarn, "mlx5_0: registering a dma-buf: Operation not supported", "mlx5");
}

TEST_F(ChecksTest, ANicFarFromTheProcessorsOrTheGpusIsAWarning) {
  host_.ports[0].numa_node = 1;
  host_.files["/sys/devices/system/node/node1/cpulist"] = "4-7";
  Expect("distance", kWarn, "mlx5_0 on node 1: this process may run on none", "topology manager");
  host_.files["/proc/self/status"] = "Cpus_allowed_list:\t0,5\n";
  Expect("distance", kOk, "mlx5_0 on node 1");
  host_.files["/sys/bus/pci/devices/0000:3b:00.0/class"] = "0x030200";
  host_.files["/sys/bus/pci/devices/0000:3b:00.0/numa_node"] = "0";
  Expect("distance", kWarn, "GPU 0000:3b:00.0 is on node 0", "NIC of the GPU's node");
}

TEST_F(ChecksTest, FewDescriptorsWarnAndVeryFewFail) {
  host_.limit.open_files = 1024;
  Expect("open files", kWarn, "RLIMIT_NOFILE is 1024", "ulimit -n");
  host_.limit.open_files = 64;
  Expect("open files", kFail, "RLIMIT_NOFILE is 64", "ulimit -n");
}

TEST_F(ChecksTest, APoolThatCannotBeMadeFails) {
  host_.memfd = SystemError("memfd_create", EPERM);
  Expect("memfd", kFail, "memfd_create: Operation not permitted", "seccomp");
}

TEST_F(ChecksTest, ASmallDevShmIsAWarning) {
  host_.file_systems["/dev/shm"] = 64 << 20;
  Expect("/dev/shm", kWarn, "it has 64 MiB", "emptyDir");
  host_.file_systems.clear();
  Expect("/dev/shm", kWarn, "there is none", "emptyDir");
}

TEST_F(ChecksTest, ASocketWithoutAPlaceFails) {
  settings_.attach_socket = "/no/such/attach.sock";
  Expect("sockets", kFail, "/no/such is no folder", "emptyDir");
  settings_.attach_socket = "/run/baton/attach.sock";
  host_.closed = {"/run/baton"};
  Expect("sockets", kFail, "/run/baton may not be written", "fsGroup");
  settings_.attach_socket = "/" + std::string(200, 'a');
  Expect("sockets", kFail, "has 201 bytes", "at most 107");
}

TEST_F(ChecksTest, ANameThatDoesNotResolveFails) {
  settings_.advertise = "pod-7:7400";
  Expect("names", kOk, "pod-7, registry resolve");
  host_.names["pod-7"] =
      Error(Reason::kConfig, "'pod-7' does not resolve: Name or service not known");
  Expect("names", kFail, "'pod-7' does not resolve", "dnsPolicy");
}

TEST_F(ChecksTest, ABootstrapServiceThatIsAwayFailsAndIsAskedNothingMore) {
  servers_ = Error(Reason::kPeerLost, "registry:7411 cannot be reached");
  Expect("bootstrap", kFail, "registry:7411 cannot be reached", "batonctl health");
  EXPECT_EQ(Find("clock").check(), "");
  EXPECT_EQ(Find("peers").check(), "");
}

TEST_F(ChecksTest, AClockThatIsFarOffIsAWarning) {
  Expect("clock", kOk, "is older and does not say");
  servers_->set_unix_ms(UnixMillis());
  Expect("clock", kOk, "ms from here, give or take");
  servers_->set_unix_ms(UnixMillis() - 60000);
  Expect("clock", kWarn, "the bootstrap service is -", "chrony");
  servers_->set_unix_ms(UnixMillis() + 60000);
  Expect("clock", kWarn, "the bootstrap service is +", "chrony");
}

TEST_F(ChecksTest, AgentsThatCannotBeReachedFail) {
  Expect("peers", kOk, "no other agent is registered");
  v1::ServerRecord* server = servers_->add_servers();
  for (int i = 1; i <= 6; ++i) {
    server->add_ranks()->set_agent_address("10.0.0." + std::to_string(i) + ":7400");
  }
  settings_.advertise = "10.0.0.6:7400";
  Expect("peers", kOk, "all agents can be reached: 5");
  for (int i = 1; i <= 4; ++i) {
    host_.addresses["10.0.0." + std::to_string(i) + ":7400"] =
        Error(Reason::kPeerLost, "Connection refused");
  }
  Expect("peers", kFail,
         "4 of 5 agents cannot be reached: 10.0.0.1:7400 (Connection refused), 10.0.0.2:7400",
         "NetworkPolicy");
}

TEST_F(ChecksTest, OfVeryManyAgentsSomeAreTried) {
  v1::ServerRecord* server = servers_->add_servers();
  for (int i = 0; i < 200; ++i) {
    server->add_ranks()->set_agent_address("host-" + std::to_string(i) + ":7400");
  }
  Expect("peers", kOk, "64 tried of 200");
}

}  // namespace
}  // namespace baton::checks

// A missing and a full /dev/shm: rings, tables and pools are memfds, so neither matters. This
// program runs itself once more with a /dev of its own.
#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <spawn.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/engine/engine_client.h"
#include "client/engine/testing/small_engine.h"
#include "common/log.h"
#include "common/memfd.h"
#include "tests/support/eventually.h"
#include "transfer_agent/attach/testing/small_rank.h"
#include "transfer_agent/attach/testing/test_agent.h"

extern char** environ;

namespace baton {
namespace {

constexpr int kHandedOver = 10;
constexpr int kMayNotMount = 11;

int RunSelf(std::string how) {
  char* args[] = {const_cast<char*>("dev_shm_test"), how.data(), nullptr};
  pid_t pid = 0;
  EXPECT_EQ(posix_spawn(&pid, "/proc/self/exe", nullptr, nullptr, args, environ), 0);
  int status = 0;
  EXPECT_EQ(waitpid(pid, &status, 0), pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// Where mounting is forbidden, memfd_test's look at the mount table must do.
void ExpectHandedOver(const std::string& how) {
  int end = RunSelf(how);
  EXPECT_TRUE(end == kHandedOver || end == kMayNotMount) << end;
  if (end == kMayNotMount) std::cout << "this machine lets nobody mount\n";
}

TEST(DevShm, MayBeMissing) { ExpectHandedOver("missing"); }
TEST(DevShm, MayBeFull) { ExpectHandedOver("full"); }

bool FillUp(const char* path) {
  UniqueFd file(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  std::string block(4096, 'x');
  for (int i = 0; i < 1000; ++i) {
    if (write(file.get(), block.data(), block.size()) < 0) return errno == ENOSPC;
  }
  return false;
}

bool Spoil(const std::string& how) {
  int flags = CLONE_NEWNS | (geteuid() == 0 ? 0 : CLONE_NEWUSER);
  if (unshare(flags) != 0 && unshare(CLONE_NEWNS | CLONE_NEWUSER) != 0) return false;
  mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
  if (how == "missing") {
    if (mount("none", "/dev", "tmpfs", 0, "size=64k") != 0) return false;
    return access("/dev/shm", F_OK) != 0;
  }
  if (mount("none", "/dev/shm", "tmpfs", 0, "size=8k") != 0) return false;
  return FillUp("/dev/shm/ballast");
}

// 0 when a room was handed over from the opening to the end.
int HandOver() {
  attach::SocketFolder folder;
  attach::AttachOptions agent_options;
  agent_options.socket_path = folder.socket();
  agent_options.epoch = Epoch(1);
  attach::TestAgent agent(agent_options);
  CHECK(agent.Start().ok());
  UniqueFd pool = *CreateSealedMemfd("pool", attach::kSmallPoolBytes);
  auto engine = EngineClient::Attach(SmallEngine(folder.socket(), Role::kDecode, pool.get()));
  CHECK(engine.ok()) << engine.status();
  auto room = (*engine)->OpenReceive({.room = {1}, .prefill_server = "p", .total_tokens = 8});
  CHECK(room.ok()) << room.status();
  CHECK(Eventually([&] { return (*engine)->Poll(*room).phase == RoomPhase::kDone; }));
  return kHandedOver;
}

}  // namespace
}  // namespace baton

int main(int argc, char** argv) {
  if (argc == 2 && argv[1][0] != '-') {
    return baton::Spoil(argv[1]) ? baton::HandOver() : baton::kMayNotMount;
  }
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}

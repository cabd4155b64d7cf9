#include "common/unix_socket.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/reason.h"

namespace baton {
namespace {

using ::testing::HasSubstr;

class Socket : public ::testing::Test {
 protected:
  Socket() {
    char name[] = "/tmp/baton-XXXXXX";
    folder_ = mkdtemp(name);
    path_ = folder_ + "/s";
  }
  ~Socket() override {
    unlink(path_.c_str());
    rmdir(folder_.c_str());
  }
  // Fills both ends.
  void Join() {
    listener_ = *ListenSeqPacket(path_, 4);
    client_ = *ConnectSeqPacket(path_);
    server_ = *AcceptSeqPacket(listener_.get());
    ASSERT_TRUE(server_);
  }
  static Packet Read(int fd, size_t bytes = 100, size_t fds = 8) {
    auto packet = ReceivePacket(fd, bytes, fds);
    EXPECT_TRUE(packet.ok()) << packet.status();
    EXPECT_TRUE(packet->has_value());
    return **std::move(packet);
  }

  std::string folder_, path_;
  UniqueFd listener_, client_, server_;
};

TEST_F(Socket, HasThePermissionsThatWereAskedForWhateverTheUmaskIs) {
  for (const mode_t mask : {0, 022, 077}) {
    for (const mode_t mode : {0600, 0660, 0666}) {
      const mode_t before = umask(mask);
      auto listener = ListenSeqPacket(path_, 4, mode);
      umask(before);
      ASSERT_TRUE(listener.ok()) << listener.status();
      struct stat info = {};
      ASSERT_EQ(stat(path_.c_str(), &info), 0);
      EXPECT_EQ(info.st_mode & 0777, mode) << "umask " << mask;
      unlink(path_.c_str());
    }
  }
}

TEST_F(Socket, OfAnotherTypeIsReplacedOnlyWhenNobodyListens) {
  auto stream = ListenStream(path_, 4, 0660);
  ASSERT_TRUE(stream.ok()) << stream.status();
  EXPECT_EQ(ReasonOf(ListenSeqPacket(path_, 4).status()), Reason::kConfig);
  EXPECT_EQ(ReasonOf(ListenStream(path_, 4).status()), Reason::kConfig);
  stream->Reset();
  EXPECT_TRUE(ListenSeqPacket(path_, 4).ok());
}

TEST_F(Socket, CarriesPacketsWithTheirDescriptors) {
  Join();
  UniqueFd bell(eventfd(5, EFD_CLOEXEC));
  ASSERT_TRUE(SendPacket(client_.get(), "hello", {bell.get(), bell.get()}).ok());
  ASSERT_TRUE(SendPacket(client_.get(), "again", {}).ok());
  Packet first = Read(server_.get());
  EXPECT_EQ(first.bytes, "hello");
  ASSERT_EQ(first.fds.size(), 2u);
  uint64_t value = 0;
  EXPECT_EQ(read(first.fds[1].get(), &value, sizeof(value)), 8);
  EXPECT_EQ(value, 5u);
  EXPECT_EQ(fcntl(first.fds[0].get(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  EXPECT_EQ(Read(server_.get()).bytes, "again");
  auto none = ReceivePacket(server_.get(), 100, 8);
  ASSERT_TRUE(none.ok());
  EXPECT_FALSE(none->has_value());
}

TEST_F(Socket, TellsTruncationLossAndTheEnd) {
  Join();
  UniqueFd bell(eventfd(0, EFD_CLOEXEC));
  ASSERT_TRUE(SendPacket(client_.get(), std::string(200, 'x'), {}).ok());
  ASSERT_TRUE(SendPacket(client_.get(), "x", {bell.get(), bell.get(), bell.get()}).ok());
  client_.Reset();
  EXPECT_TRUE(Read(server_.get()).truncated);
  Packet lost = Read(server_.get(), 100, 2);
  EXPECT_TRUE(lost.fds_lost);
  EXPECT_LE(lost.fds.size(), 2u);
  EXPECT_TRUE(Read(server_.get()).end);
}

TEST_F(Socket, TellsWhenThisProcessMayOpenNoMoreDescriptors) {
  Join();
  UniqueFd bell(eventfd(0, EFD_CLOEXEC));
  ASSERT_TRUE(SendPacket(client_.get(), "x", {bell.get()}).ok());
  rlimit before;
  getrlimit(RLIMIT_NOFILE, &before);
  rlimit now = {3, before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &now);
  Packet packet = Read(server_.get());
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_TRUE(packet.fds_lost);
  EXPECT_TRUE(packet.fds.empty());
}

TEST_F(Socket, SaysThatTheOtherEndIsGoneInsteadOfRaisingASignal) {
  Join();
  server_.Reset();
  EXPECT_EQ(ReasonOf(SendPacket(client_.get(), "x", {})), Reason::kPeerLost);
}

TEST_F(Socket, SaysWhenItsBufferIsFull) {
  Join();
  absl::Status sent;
  for (int i = 0; i < 100000 && sent.ok(); ++i) {
    sent = SendPacket(client_.get(), std::string(1000, 'x'), {});
  }
  EXPECT_TRUE(absl::IsUnavailable(sent)) << sent;
}

TEST_F(Socket, RefusesAPacketThatNoBufferHolds) {
  Join();
  EXPECT_EQ(ReasonOf(SendPacket(client_.get(), std::string(64 << 20, 'x'), {})), Reason::kTooLarge);
  std::vector<int> fds(kPacketFdsMax + 1, 0);
  EXPECT_EQ(ReasonOf(SendPacket(client_.get(), "x", fds)), Reason::kTooLarge);
}

TEST_F(Socket, KnowsTheProcessAtTheOtherEnd) {
  Join();
  EXPECT_EQ(PeerPid(server_.get()), getpid());
}

TEST_F(Socket, ReplacesAFileThatNobodyListensOn) {
  listener_ = *ListenSeqPacket(path_, 4);
  listener_.Reset();
  EXPECT_TRUE(absl::IsUnavailable(ConnectSeqPacket(path_).status()));
  EXPECT_TRUE(ListenSeqPacket(path_, 4).ok());
}

TEST_F(Socket, LeavesALivingListenerAndOrdinaryFilesAlone) {
  listener_ = *ListenSeqPacket(path_, 4);
  auto second = ListenSeqPacket(path_, 4);
  EXPECT_EQ(ReasonOf(second.status()), Reason::kConfig);
  EXPECT_THAT(second.status().message(), HasSubstr("another process listens on '" + path_));
  EXPECT_TRUE(ConnectSeqPacket(path_).ok());
  auto folder = ListenSeqPacket(folder_, 4);
  EXPECT_THAT(folder.status().message(), HasSubstr("is no socket"));
}

TEST_F(Socket, RefusesPathsThatCannotBe) {
  EXPECT_EQ(ReasonOf(ListenSeqPacket(std::string(200, 'p'), 4).status()), Reason::kConfig);
  EXPECT_EQ(ReasonOf(ConnectSeqPacket("").status()), Reason::kConfig);
  auto missing = ListenSeqPacket(folder_ + "/no/such", 4);
  EXPECT_EQ(ReasonOf(missing.status()), Reason::kConfig);
  EXPECT_THAT(missing.status().message(), HasSubstr("No such file"));
}

}  // namespace
}  // namespace baton

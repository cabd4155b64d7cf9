#include "common/memfd.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/memfd.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

#include "common/reason.h"

namespace baton {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kBytes = 64 << 10;

UniqueFd Pool() {
  auto fd = CreateSealedMemfd("pool", kBytes);
  EXPECT_TRUE(fd.ok()) << fd.status();
  return fd.ok() ? *std::move(fd) : UniqueFd();
}

// Lowers a limit of this process for one scope.
class Limit {
 public:
  Limit(__rlimit_resource what, rlim_t to) : what_(what) {
    getrlimit(what, &before_);
    rlimit now = {to, before_.rlim_max};
    EXPECT_EQ(setrlimit(what, &now), 0);
  }
  ~Limit() { setrlimit(what_, &before_); }

 private:
  __rlimit_resource what_;
  rlimit before_;
};

TEST(Memfd, CanNeitherShrinkNorGrow) {
  UniqueFd fd = Pool();
  EXPECT_TRUE(CheckSealed(fd.get(), kBytes).ok());
  EXPECT_NE(ftruncate(fd.get(), kBytes / 2), 0);
  EXPECT_NE(ftruncate(fd.get(), 0), 0);
  EXPECT_NE(ftruncate(fd.get(), kBytes * 2), 0);
}

TEST(Memfd, IsRefusedWithoutTheShrinkSealAndSaysHowToSeal) {
  UniqueFd fd(memfd_create("plain", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  ASSERT_EQ(ftruncate(fd.get(), kBytes), 0);
  absl::Status refused = CheckSealed(fd.get(), kBytes);
  EXPECT_EQ(ReasonOf(refused), Reason::kBadRegion);
  EXPECT_THAT(refused.message(), HasSubstr("F_SEAL_SHRINK"));
}

// The agent of a small pod was killed in mid-room by pages that its engine had only promised.
TEST(Memfd, IsRefusedWithPagesThatNobodyPaidFor) {
  EXPECT_TRUE(CheckReserved(Pool().get(), kBytes).ok());
  UniqueFd sparse(memfd_create("sparse", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  ASSERT_EQ(ftruncate(sparse.get(), kBytes), 0);
  ASSERT_EQ(pwrite(sparse.get(), "x", 1, kBytes / 2), 1);
  absl::Status refused = CheckReserved(sparse.get(), kBytes);
  EXPECT_EQ(ReasonOf(refused), Reason::kBadRegion);
  EXPECT_THAT(refused.message(), HasSubstr("only 4096 of its 65536 bytes are in memory"));
  ASSERT_EQ(fallocate(sparse.get(), 0, 0, kBytes), 0);
  EXPECT_TRUE(CheckReserved(sparse.get(), kBytes).ok());
}

TEST(Memfd, IsRefusedWhenSmallerThanAnnounced) {
  UniqueFd fd = Pool();
  EXPECT_THAT(CheckSealed(fd.get(), kBytes + 1).message(), HasSubstr("65536 bytes, fewer than"));
}

TEST(Memfd, IsNotAFileNorAPipe) {
  UniqueFd file(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  EXPECT_THAT(CheckSealed(file.get(), 1).message(), HasSubstr("no memfd"));
  EXPECT_FALSE(CheckSealed(-1, 1).ok());
}

TEST(Memfd, CannotBeMappedWritableOnceSealedAgainstNewWriters) {
  auto fd = CreateSealedMemfd("table", kBytes);
  ASSERT_TRUE(fd.ok());
  auto writer = MapShared(fd->get(), kBytes, Access::kReadWrite);
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE(SealAgainstNewWriters(fd->get()).ok());
  EXPECT_FALSE(MapShared(fd->get(), kBytes, Access::kReadWrite).ok());
  EXPECT_NE(pwrite(fd->get(), "x", 1, 0), 1);
  auto read_only = ReopenReadOnly(fd->get());
  ASSERT_TRUE(read_only.ok()) << read_only.status();
  EXPECT_FALSE(MapShared(read_only->get(), kBytes, Access::kReadWrite).ok());
  auto reader = MapShared(read_only->get(), kBytes, Access::kRead);
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_NE(mprotect(reader->base(), kBytes, PROT_READ | PROT_WRITE), 0);
  // The first mapping still writes, and what it writes is seen.
  writer->base()[5] = std::byte{7};
  EXPECT_EQ(reader->base()[5], std::byte{7});
  // Whoever holds the descriptor can change no seal, and so cannot lock the writer out.
  EXPECT_NE(fcntl(fd->get(), F_ADD_SEALS, F_SEAL_WRITE), 0);
}

TEST(Memfd, NamesTheLimitWhenDescriptorsAreShort) {
  Limit limit(RLIMIT_NOFILE, 3);
  auto fd = CreateSealedMemfd("pool", kBytes);
  EXPECT_EQ(ReasonOf(fd.status()), Reason::kSystem);
  EXPECT_THAT(fd.status().message(), HasSubstr("raise RLIMIT_NOFILE"));
}

TEST(Memfd, NamesTheLimitWhenFilesMayNotBeThatLarge) {
  signal(SIGXFSZ, SIG_IGN);
  Limit limit(RLIMIT_FSIZE, 4096);
  auto fd = CreateSealedMemfd("ring", kBytes);
  EXPECT_EQ(ReasonOf(fd.status()), Reason::kSystem);
  EXPECT_THAT(fd.status().message(), HasSubstr("RLIMIT_FSIZE"));
  EXPECT_THAT(fd.status().message(), HasSubstr("ring"));
}

TEST(Memfd, RefusesSizesThatNoMemoryHas) {
  EXPECT_FALSE(CreateSealedMemfd("pool", 0).ok());
  EXPECT_FALSE(CreateSealedMemfd("pool", UINT64_MAX).ok());
}

TEST(Memfd, SaysWhenThereIsNoAddressSpace) {
  UniqueFd fd = Pool();
  auto mapping = MapShared(fd.get(), uint64_t{1} << 60, Access::kRead);
  EXPECT_EQ(ReasonOf(mapping.status()), Reason::kSystem);
  EXPECT_THAT(mapping.status().message(), HasSubstr("mmap"));
}

// Needs no huge page: none is taken before memory is mapped.
TEST(Memfd, IsTakenInWholeHugePagesAlone) {
  constexpr uint64_t kHuge = 2 << 20;
  UniqueFd fd(memfd_create("pool", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB | MFD_HUGE_2MB));
  ASSERT_TRUE(fd) << strerror(errno);
  ASSERT_EQ(ftruncate(fd.get(), 2 * kHuge), 0);
  ASSERT_EQ(fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK), 0);
  EXPECT_TRUE(CheckSealed(fd.get(), 2 * kHuge).ok());
  EXPECT_TRUE(CheckSealed(fd.get(), kHuge).ok());
  absl::Status part = CheckSealed(fd.get(), kHuge + 4096);
  EXPECT_EQ(ReasonOf(part), Reason::kBadRegion);
  EXPECT_THAT(part.message(), HasSubstr("huge pages of 2097152 bytes"));
}

// Why a missing or full /dev/shm is no matter: a memfd lives on a mount of the kernel's own.
TEST(Memfd, DoesNotLiveInDevShm) {
  UniqueFd fd = Pool();
  char link[256] = {};
  std::string path = "/proc/self/fd/" + std::to_string(fd.get());
  ASSERT_GT(readlink(path.c_str(), link, sizeof(link) - 1), 0);
  EXPECT_STREQ(link, "/memfd:pool (deleted)");
  std::ifstream mounts("/proc/self/fdinfo/" + std::to_string(fd.get()));
  std::string line;
  std::string mount_id = "none";
  while (std::getline(mounts, line)) {
    if (line.rfind("mnt_id:", 0) == 0) mount_id = line.substr(8);
  }
  std::ifstream table("/proc/self/mountinfo");
  while (std::getline(table, line)) EXPECT_NE(line.substr(0, line.find(' ')), mount_id) << line;
}

TEST(Memfd, UnmapsOnceAndOnlyOnce) {
  UniqueFd fd = Pool();
  auto first = MapShared(fd.get(), kBytes, Access::kReadWrite);
  ASSERT_TRUE(first.ok());
  std::byte* base = first->base();
  Mapping second = *std::move(first);
  EXPECT_FALSE(*first);  // NOLINT(bugprone-use-after-move): what is left is the point
  EXPECT_EQ(second.base(), base);
  second = Mapping();
  EXPECT_FALSE(second);
  EXPECT_NE(msync(base, kBytes, MS_ASYNC), 0);  // not mapped any more
}

}  // namespace
}  // namespace baton

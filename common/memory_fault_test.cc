#include "common/memory_fault.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <thread>
#include <vector>

namespace baton {
namespace {

constexpr size_t kPage = 4096;

// Two pages, of which the second one is gone.
class TornMemory {
 public:
  TornMemory() {
    const int fd = memfd_create("torn", MFD_CLOEXEC);
    EXPECT_EQ(ftruncate(fd, kPage), 0);
    base_ = static_cast<char*>(mmap(nullptr, 2 * kPage, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    EXPECT_NE(base_, MAP_FAILED);
    close(fd);
  }
  ~TornMemory() { munmap(base_, 2 * kPage); }
  char* base() const { return base_; }

 private:
  char* base_ = nullptr;
};

TEST(MemoryFault, IsAnAnswerThatSaysWhere) {
  TornMemory torn;
  std::vector<char> out(2 * kPage);
  const void* gone = memory_fault::Touch([&] { std::memcpy(out.data(), torn.base(), out.size()); });
  EXPECT_GE(gone, torn.base() + kPage);
  EXPECT_LT(gone, torn.base() + 2 * kPage);
}

TEST(MemoryFault, IsNoneWhereAllIsThere) {
  TornMemory torn;
  EXPECT_EQ(memory_fault::Touch([&] { std::memset(torn.base(), 1, kPage); }), nullptr);
}

TEST(MemoryFault, CanHappenAgainAndOnAnyThread) {
  TornMemory torn;
  const auto write = [&] {
    return memory_fault::Touch([&] { std::memset(torn.base() + kPage, 1, 1); });
  };
  EXPECT_NE(write(), nullptr);
  EXPECT_NE(write(), nullptr);
  const void* elsewhere = nullptr;
  std::thread([&] { elsewhere = write(); }).join();
  EXPECT_NE(elsewhere, nullptr);
}

TEST(MemoryFaultDeathTest, OutsideAGuardEndsTheProcessAsEver) {
  // The answer of whom the first Touch finds: a sanitizer's would be a report and no signal.
  signal(SIGBUS, SIG_DFL);
  TornMemory torn;
  EXPECT_EQ(memory_fault::Touch([] {}), nullptr);
  EXPECT_EXIT({ *static_cast<volatile char*>(torn.base() + kPage) = 1; },
              testing::KilledBySignal(SIGBUS), "");
}

}  // namespace
}  // namespace baton

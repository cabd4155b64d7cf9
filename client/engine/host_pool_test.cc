#include "client/engine/host_pool.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <vector>

#include "common/reason.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace baton {
namespace {

using ::testing::HasSubstr;

uint64_t PageBytes() { return static_cast<uint64_t>(sysconf(_SC_PAGESIZE)); }

// What an agent would see: another mapping of the pool's descriptor.
Mapping Seen(const HostPool& pool) {
  return std::move(*MapShared(pool.fd(), pool.bytes(), Access::kReadWrite));
}

struct Anonymous {
  explicit Anonymous(uint64_t size, int flags = MAP_PRIVATE)
      : bytes(size),
        base(static_cast<std::byte*>(
            mmap(nullptr, size, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0))) {}
  ~Anonymous() { munmap(base, bytes); }
  uint64_t bytes;
  std::byte* base;
};

TEST(HostPool, CreatedMemoryIsSealedAndSharedThroughItsDescriptor) {
  auto pool = HostPool::Create("kv", 3 * PageBytes());
  ASSERT_TRUE(pool.ok()) << pool.status();
  EXPECT_TRUE(CheckSealed(pool->fd(), pool->bytes()).ok());
  pool->base()[5] = std::byte{7};
  Mapping seen = Seen(*pool);
  EXPECT_EQ(seen.base()[5], std::byte{7});
  seen.base()[6] = std::byte{8};
  EXPECT_EQ(pool->base()[6], std::byte{8});
}

TEST(HostPool, AdoptedMemoryKeepsItsPlaceAndContentsAndIsShared) {
  Anonymous memory(4 * PageBytes());
  memory.base[0] = std::byte{1};
  memory.base[memory.bytes - 1] = std::byte{2};
  auto pool = HostPool::Adopt("kv", memory.base, memory.bytes, Around::kRefuse);
  ASSERT_TRUE(pool.ok()) << pool.status();
  EXPECT_TRUE(CheckSealed(pool->fd(), pool->bytes()).ok());
  EXPECT_EQ(pool->base(), memory.base);
  EXPECT_EQ(pool->offset(), 0u);
  Mapping seen = Seen(*pool);
  EXPECT_EQ(seen.base()[0], std::byte{1});
  EXPECT_EQ(seen.base()[memory.bytes - 1], std::byte{2});
  seen.base()[1] = std::byte{3};
  EXPECT_EQ(memory.base[1], std::byte{3});
  memory.base[2] = std::byte{4};
  EXPECT_EQ(seen.base()[2], std::byte{4});
}

TEST(HostPool, MallocsMemoryIsAdoptedWithWhatSharesItsPages) {
  const uint64_t bytes = 8 << 20;
  auto* memory = static_cast<char*>(std::malloc(bytes));
  std::memset(memory, 'x', bytes);
  auto pool = HostPool::Adopt("kv", memory, bytes, Around::kTake);
  ASSERT_TRUE(pool.ok()) << pool.status();
  EXPECT_EQ(reinterpret_cast<char*>(pool->base()) + pool->offset(), memory);
  Mapping seen = Seen(*pool);
  EXPECT_EQ(std::memcmp(seen.base() + pool->offset(), memory, bytes), 0);
  std::free(memory);  // malloc's own words before it are still there
}

TEST(HostPool, AdoptedMemoryOutlivesThePoolThatAdoptedIt) {
  Anonymous memory(PageBytes());
  memory.base[0] = std::byte{9};
  { ASSERT_TRUE(HostPool::Adopt("kv", memory.base, memory.bytes, Around::kRefuse).ok()); }
  EXPECT_EQ(memory.base[0], std::byte{9});
}

void ExpectRefused(void* address, uint64_t bytes, const std::string& why) {
  auto pool = HostPool::Adopt("kv", address, bytes, Around::kRefuse);
  ASSERT_FALSE(pool.ok());
  EXPECT_EQ(ReasonOf(pool.status()), Reason::kBadRegion);
  EXPECT_THAT(std::string(pool.status().message()), HasSubstr(why));
}

TEST(HostPool, WhatCannotBeAdoptedIsRefusedWithWhatItIs) {
  Anonymous memory(4 * PageBytes());
  ExpectRefused(memory.base + 64, PageBytes(), "it is not whole pages");
  ExpectRefused(memory.base, 0, "it has no bytes");
  ExpectRefused(memory.base, UINT64_MAX - PageBytes(), "it has no bytes, or more than there are");

  Anonymous shared(PageBytes(), MAP_SHARED);
  ExpectRefused(shared.base, shared.bytes, "there is a file behind it");

  Anonymous read_only(PageBytes());
  mprotect(read_only.base, read_only.bytes, PROT_READ);
  ExpectRefused(read_only.base, read_only.bytes, "not private, writable memory but r--p");

  Anonymous hole(3 * PageBytes());
  munmap(hole.base + PageBytes(), PageBytes());
  ExpectRefused(hole.base, hole.bytes, "nothing is mapped at 0x");

  auto again = HostPool::Adopt("kv", memory.base, memory.bytes, Around::kRefuse);
  ASSERT_TRUE(again.ok());
  ExpectRefused(memory.base, memory.bytes, "there is a file behind it, /memfd:kv");
}

}  // namespace
}  // namespace baton

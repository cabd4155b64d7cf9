#include "transfer_agent/transport/shm/copy.h"

#include <cstring>
#include <vector>

#include "gtest/gtest.h"

namespace baton::transport::shm {
namespace {

TEST(Copy, CopiesEveryLengthAndAlignmentAndNothingBeside) {
  std::vector<std::byte> from(9000), to(9000), want(9000);
  for (size_t i = 0; i < from.size(); ++i) from[i] = static_cast<std::byte>(i * 31 + 5);
  for (size_t size : {0, 1, 63, 2047, 2048, 2049, 2303, 2304, 4096, 5000, 8191}) {
    for (size_t to_at : {0, 1, 8, 63, 64, 100}) {
      for (size_t from_at : {0, 3, 64, 77}) {
        std::fill(to.begin(), to.end(), std::byte{0xc5});
        std::fill(want.begin(), want.end(), std::byte{0xc5});
        std::memcpy(want.data() + to_at, from.data() + from_at, size);
        CopyPast(to.data() + to_at, from.data() + from_at, size);
        FinishCopies();
        ASSERT_EQ(to, want) << size << " bytes from " << from_at << " to " << to_at;
      }
    }
  }
}

}  // namespace
}  // namespace baton::transport::shm

// Planted: takes two locks in one order and then in the other, as two threads that deadlock would.
// The thread sanitizer must fail this test although nothing hangs.
#include <gtest/gtest.h>

#include "common/mutex.h"

namespace baton {
namespace {

TEST(Planted, TakesTwoLocksInBothOrders) {
  Mutex rooms;
  Mutex channels;
  {
    MutexLock first(&rooms);
    MutexLock second(&channels);
  }
  {
    MutexLock first(&channels);
    MutexLock second(&rooms);
  }
}

}  // namespace
}  // namespace baton

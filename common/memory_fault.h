// Touching memory that somebody else can take away: a pool of huge pages in which its engine
// punches holes has no page to give back once the host has run out of them, and the kernel then
// ends whoever touches it with SIGBUS. Here that is an answer instead.
//
//   if (const void* gone = memory_fault::Touch([&] { std::memcpy(to, from, size); })) ...
//
// System calls need none of it: they say EFAULT.
#ifndef BATON_COMMON_MEMORY_FAULT_H_
#define BATON_COMMON_MEMORY_FAULT_H_

#include <setjmp.h>

#include <atomic>

namespace baton::memory_fault {
namespace internal {

// Of this thread, while it is inside Touch.
struct Guard {
  sigjmp_buf* escape = nullptr;
  const void* address = nullptr;
};
Guard& ThisThread();
// SIGBUS of this process is ours from the first call on; outside Touch it ends the process as ever.
void Install();

}  // namespace internal

// Calls body() and returns null; or stops in the middle of it, at the first access to memory that
// is gone, and returns about where. Not to be nested. `body` may own nothing: no destructor runs
// then, and what it wrote is there in part. Thread-safe.
template <typename Body>
const void* Touch(Body&& body) {
  internal::Install();
  internal::Guard& guard = internal::ThisThread();
  sigjmp_buf escape;
  if (sigsetjmp(escape, 0) != 0) return internal::ThisThread().address;
  guard.escape = &escape;
  // The compiler must not move an access of the body past either store, nor drop the first one.
  std::atomic_signal_fence(std::memory_order_seq_cst);
  body();
  std::atomic_signal_fence(std::memory_order_seq_cst);
  guard.escape = nullptr;
  return nullptr;
}

}  // namespace baton::memory_fault

#endif  // BATON_COMMON_MEMORY_FAULT_H_

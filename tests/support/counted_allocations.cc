#include "tests/support/counted_allocations.h"

#include <cstdlib>
#include <new>

#include "absl/base/attributes.h"

namespace baton::test {

constinit thread_local bool counted = false;
constinit thread_local int allocations = 0;

}  // namespace baton::test

// Not inlined: the compiler would take the malloc in one for a mismatch with the other.
ABSL_ATTRIBUTE_NOINLINE void* operator new(size_t bytes, const std::nothrow_t&) noexcept {
  if (baton::test::counted) ++baton::test::allocations;
  return std::malloc(bytes);
}
ABSL_ATTRIBUTE_NOINLINE void* operator new(size_t bytes) {
  void* memory = operator new(bytes, std::nothrow);
  if (memory == nullptr) std::abort();
  return memory;
}
ABSL_ATTRIBUTE_NOINLINE void operator delete(void* memory) noexcept { std::free(memory); }
ABSL_ATTRIBUTE_NOINLINE void operator delete(void* memory, size_t) noexcept { std::free(memory); }

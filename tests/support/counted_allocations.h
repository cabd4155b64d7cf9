// Counts what a test's own thread takes from the heap. A test that depends on this has its global
// operator new and delete replaced.
#ifndef BATON_TESTS_SUPPORT_COUNTED_ALLOCATIONS_H_
#define BATON_TESTS_SUPPORT_COUNTED_ALLOCATIONS_H_

namespace baton::test {

// Whether this thread's allocations are counted now; false at first.
extern constinit thread_local bool counted;
// How many were, since the test last set it to 0.
extern constinit thread_local int allocations;

}  // namespace baton::test

#endif  // BATON_TESTS_SUPPORT_COUNTED_ALLOCATIONS_H_

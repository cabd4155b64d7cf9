// ThreadSanitizer cannot see into Debian's libraries, which are not instrumented: what they do is ignored.
// A called_from_lib line may match one loaded library only.
#if defined(__SANITIZE_THREAD__)
#define TOY_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TOY_TSAN 1
#endif
#endif

#ifdef TOY_TSAN
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() {
  return
      "called_from_lib:libglog.so.1\n"
      "called_from_lib:libgrpc++.so.1.51\n"
      // ... one line for each Debian library the tests load: 51 for this toy (ldd TEST)
}
#endif

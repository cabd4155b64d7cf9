// What every test's sanitizer is told, compiled in so that no environment variable is needed.
//
// ThreadSanitizer cannot see into Debian's libraries, which are not instrumented: calls that they
// make are ignored. A called_from_lib line may match one loaded library only, so each is a full
// file name; a line for a library that is not loaded does nothing.
// //tests/sanitizers:suppressions_test fails when a library is missing here.
#if defined(__SANITIZE_THREAD__)
#define BATON_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define BATON_TSAN 1
#endif
#endif

#if defined(__SANITIZE_ADDRESS__)
#define BATON_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BATON_ASAN 1
#endif
#endif

#ifdef BATON_ASAN
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() {
  return "detect_stack_use_after_return=1:strict_string_checks=1:detect_leaks=1";
}

extern "C" const char* __ubsan_default_options();
extern "C" const char* __ubsan_default_options() { return "print_stacktrace=1"; }
#endif

#ifdef BATON_TSAN
extern "C" const char* __tsan_default_options();
extern "C" const char* __tsan_default_options() { return "second_deadlock_stack=1"; }

extern "C" const char* __tsan_default_suppressions();
// tidy-allow(size): one list
extern "C" const char* __tsan_default_suppressions() {
  return
      // clang-format off
      "called_from_lib:libabsl_bad_any_cast_impl.so.20220623\n"
      "called_from_lib:libabsl_bad_optional_access.so.20220623\n"
      "called_from_lib:libabsl_bad_variant_access.so.20220623\n"
      "called_from_lib:libabsl_base.so.20220623\n"
      "called_from_lib:libabsl_city.so.20220623\n"
      "called_from_lib:libabsl_civil_time.so.20220623\n"
      "called_from_lib:libabsl_cord.so.20220623\n"
      "called_from_lib:libabsl_cord_internal.so.20220623\n"
      "called_from_lib:libabsl_cordz_functions.so.20220623\n"
      "called_from_lib:libabsl_cordz_handle.so.20220623\n"
      "called_from_lib:libabsl_cordz_info.so.20220623\n"
      "called_from_lib:libabsl_cordz_sample_token.so.20220623\n"
      "called_from_lib:libabsl_debugging_internal.so.20220623\n"
      "called_from_lib:libabsl_demangle_internal.so.20220623\n"
      "called_from_lib:libabsl_examine_stack.so.20220623\n"
      "called_from_lib:libabsl_exponential_biased.so.20220623\n"
      "called_from_lib:libabsl_failure_signal_handler.so.20220623\n"
      "called_from_lib:libabsl_flags_commandlineflag.so.20220623\n"
      "called_from_lib:libabsl_flags_commandlineflag_internal.so.20220623\n"
      "called_from_lib:libabsl_flags_config.so.20220623\n"
      "called_from_lib:libabsl_flags_internal.so.20220623\n"
      "called_from_lib:libabsl_flags_marshalling.so.20220623\n"
      "called_from_lib:libabsl_flags_parse.so.20220623\n"
      "called_from_lib:libabsl_flags_private_handle_accessor.so.20220623\n"
      "called_from_lib:libabsl_flags_program_name.so.20220623\n"
      "called_from_lib:libabsl_flags_reflection.so.20220623\n"
      "called_from_lib:libabsl_flags_usage.so.20220623\n"
      "called_from_lib:libabsl_flags_usage_internal.so.20220623\n"
      "called_from_lib:libabsl_graphcycles_internal.so.20220623\n"
      "called_from_lib:libabsl_hash.so.20220623\n"
      "called_from_lib:libabsl_hashtablez_sampler.so.20220623\n"
      "called_from_lib:libabsl_int128.so.20220623\n"
      "called_from_lib:libabsl_leak_check.so.20220623\n"
      "called_from_lib:libabsl_log_severity.so.20220623\n"
      "called_from_lib:libabsl_low_level_hash.so.20220623\n"
      "called_from_lib:libabsl_malloc_internal.so.20220623\n"
      "called_from_lib:libabsl_periodic_sampler.so.20220623\n"
      "called_from_lib:libabsl_random_distributions.so.20220623\n"
      "called_from_lib:libabsl_random_internal_distribution_test_util.so.20220623\n"
      "called_from_lib:libabsl_random_internal_platform.so.20220623\n"
      "called_from_lib:libabsl_random_internal_pool_urbg.so.20220623\n"
      "called_from_lib:libabsl_random_internal_randen.so.20220623\n"
      "called_from_lib:libabsl_random_internal_randen_hwaes.so.20220623\n"
      "called_from_lib:libabsl_random_internal_randen_hwaes_impl.so.20220623\n"
      "called_from_lib:libabsl_random_internal_randen_slow.so.20220623\n"
      "called_from_lib:libabsl_random_internal_seed_material.so.20220623\n"
      "called_from_lib:libabsl_random_seed_gen_exception.so.20220623\n"
      "called_from_lib:libabsl_random_seed_sequences.so.20220623\n"
      "called_from_lib:libabsl_raw_hash_set.so.20220623\n"
      "called_from_lib:libabsl_raw_logging_internal.so.20220623\n"
      "called_from_lib:libabsl_scoped_set_env.so.20220623\n"
      "called_from_lib:libabsl_spinlock_wait.so.20220623\n"
      "called_from_lib:libabsl_stacktrace.so.20220623\n"
      "called_from_lib:libabsl_status.so.20220623\n"
      "called_from_lib:libabsl_statusor.so.20220623\n"
      "called_from_lib:libabsl_str_format_internal.so.20220623\n"
      "called_from_lib:libabsl_strerror.so.20220623\n"
      "called_from_lib:libabsl_strings.so.20220623\n"
      "called_from_lib:libabsl_strings_internal.so.20220623\n"
      "called_from_lib:libabsl_symbolize.so.20220623\n"
      "called_from_lib:libabsl_synchronization.so.20220623\n"
      "called_from_lib:libabsl_throw_delegate.so.20220623\n"
      "called_from_lib:libabsl_time.so.20220623\n"
      "called_from_lib:libabsl_time_zone.so.20220623\n"
      "called_from_lib:libaddress_sorting.so.29\n"
      "called_from_lib:libbenchmark.so.1debian\n"
      "called_from_lib:libcares.so.2\n"
      "called_from_lib:libcivetweb.so.1\n"
      "called_from_lib:libcrypto.so.3\n"
      "called_from_lib:libgflags.so.2.2\n"
      "called_from_lib:libglog.so.1\n"
      "called_from_lib:libgpr.so.29\n"
      "called_from_lib:libgrpc++.so.1.51\n"
      "called_from_lib:libgrpc++_reflection.so.1.51\n"
      "called_from_lib:libgrpc.so.29\n"
      "called_from_lib:libibverbs.so.1\n"
      "called_from_lib:liblzma.so.5\n"
      "called_from_lib:libnl-3.so.200\n"
      "called_from_lib:libnl-route-3.so.200\n"
      "called_from_lib:libprometheus-cpp-core.so.1.0\n"
      "called_from_lib:libprotobuf.so.32\n"
      "called_from_lib:libpthread.so.0\n"
      "called_from_lib:libre2.so.9\n"
      "called_from_lib:libssl.so.3\n"
      "called_from_lib:libunwind.so.8\n"
      "called_from_lib:libupb.so.29\n"
      "called_from_lib:libz.so.1\n";
  // clang-format on
}
#endif

#include "transfer_agent/transport/shm/copy.h"

#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace baton::transport::shm {

#if defined(__x86_64__)
namespace {

constexpr size_t kLine = 64;
// Below it the set-up costs more than the caches' traffic.
constexpr size_t kStreamMin = 2048;

// `to` is at the start of a line, `size` a multiple of four lines.
__attribute__((target("avx"))) void StreamWide(std::byte* to, const std::byte* from, size_t size) {
  for (size_t i = 0; i < size; i += 4 * kLine) {
    const __m256i* in = reinterpret_cast<const __m256i*>(from + i);
    __m256i* out = reinterpret_cast<__m256i*>(to + i);
    const __m256i a = _mm256_loadu_si256(in), b = _mm256_loadu_si256(in + 1);
    const __m256i c = _mm256_loadu_si256(in + 2), d = _mm256_loadu_si256(in + 3);
    const __m256i e = _mm256_loadu_si256(in + 4), f = _mm256_loadu_si256(in + 5);
    const __m256i g = _mm256_loadu_si256(in + 6), h = _mm256_loadu_si256(in + 7);
    _mm256_stream_si256(out, a), _mm256_stream_si256(out + 1, b);
    _mm256_stream_si256(out + 2, c), _mm256_stream_si256(out + 3, d);
    _mm256_stream_si256(out + 4, e), _mm256_stream_si256(out + 5, f);
    _mm256_stream_si256(out + 6, g), _mm256_stream_si256(out + 7, h);
  }
}

bool HasWide() {
  static const bool has = __builtin_cpu_supports("avx");
  return has;
}

}  // namespace

void CopyPast(std::byte* to, const std::byte* from, size_t size) {
  if (size < kStreamMin || !HasWide()) {
    std::memcpy(to, from, size);
    return;
  }
  const size_t head = -reinterpret_cast<uintptr_t>(to) % kLine;
  std::memcpy(to, from, head);
  const size_t body = (size - head) / (4 * kLine) * (4 * kLine);
  StreamWide(to + head, from + head, body);
  std::memcpy(to + head + body, from + head + body, size - head - body);
}

void FinishCopies() { _mm_sfence(); }

#else

void CopyPast(std::byte* to, const std::byte* from, size_t size) { std::memcpy(to, from, size); }

void FinishCopies() {}

#endif

}  // namespace baton::transport::shm

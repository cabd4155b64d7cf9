// CRC32C (Castagnoli), with the processor's instruction where it has one.
#ifndef BATON_COMMON_CRC32C_H_
#define BATON_COMMON_CRC32C_H_

#include <cstddef>
#include <cstdint>

namespace baton {

// Extends the checksum `crc` of the bytes before (0: none) by `size` bytes at `data`.
uint32_t ExtendCrc32c(uint32_t crc, const void* data, size_t size);

// Without the instruction; for tests.
uint32_t ExtendCrc32cPortable(uint32_t crc, const void* data, size_t size);

}  // namespace baton

#endif  // BATON_COMMON_CRC32C_H_

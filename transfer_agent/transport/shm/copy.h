// A copy for bytes that this core will not read again: past the caches where that is faster.
// docs/design/tcp-and-shm.md has the measurement.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_SHM_COPY_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_SHM_COPY_H_

#include <cstddef>

namespace baton::transport::shm {

// As memcpy. Not ordered against what other cores see until FinishCopies.
void CopyPast(std::byte* to, const std::byte* from, size_t size);

// Everything copied before is visible before anything stored after.
void FinishCopies();

}  // namespace baton::transport::shm

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_SHM_COPY_H_

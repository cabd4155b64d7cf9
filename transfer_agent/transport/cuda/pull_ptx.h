// The text of pull.ptx.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_CUDA_PULL_PTX_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_CUDA_PULL_PTX_H_

namespace baton::transport::cuda {

extern const char kPullPtx[];

}  // namespace baton::transport::cuda

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_CUDA_PULL_PTX_H_

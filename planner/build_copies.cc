#include "planner/build_copies.h"

namespace baton::planner {
namespace {

SideAddress AddressOf(const ServerSpec& spec, uint32_t tensor, const BufferLayout& buffer,
                      uint32_t local_head) {
  SideAddress address;
  address.region = buffer.region;
  address.offset = buffer.offset + uint64_t{local_head} * buffer.head_stride;
  address.page_stride = buffer.page_stride;
  address.entry_stride = buffer.entry_stride;
  address.head_stride = buffer.head_stride;
  switch (spec.tensors[tensor].kind) {
    case Kind::kAux:
      address.list = kAuxRow;
      break;
    case Kind::kState:
      address.list = StateIndex(spec, tensor);
      break;
    default:
      address.list = spec.tensors[tensor].page_group;
      break;
  }
  return address;
}

}  // namespace

uint32_t StateIndex(const ServerSpec& spec, uint32_t tensor) {
  uint32_t index = 0;
  for (uint32_t t = 0; t < tensor; ++t) index += spec.tensors[t].kind == Kind::kState;
  return index;
}

CopyDescriptor BuildCopy(const PairContext& context, const Flow& flow, const BufferTable& source,
                         const BufferTable& target) {
  CopyDescriptor copy;
  const uint32_t head_bytes = context.target().tensors[flow.target_tensor].head_bytes;
  copy.set = flow.set;
  copy.share = flow.share;
  copy.heads = flow.head_end - flow.head_begin;
  copy.unit_bytes = head_bytes;
  copy.source = AddressOf(context.source(), flow.source_tensor,
                          *source.Find(flow.source_tensor, flow.layer), flow.source_head);
  copy.target = AddressOf(context.target(), flow.target_tensor,
                          *target.Find(flow.target_tensor, flow.layer), flow.target_head);
  if (copy.heads == 1 ||
      (copy.source.head_stride == head_bytes && copy.target.head_stride == head_bytes)) {
    copy.unit_bytes *= copy.heads;
    copy.heads = 1;
    copy.source.head_stride = copy.target.head_stride = copy.unit_bytes;
  } else {
    copy.head_major = copy.source.head_stride > copy.source.entry_stride &&
                      copy.target.head_stride > copy.target.entry_stride;
  }
  return copy;
}

}  // namespace baton::planner

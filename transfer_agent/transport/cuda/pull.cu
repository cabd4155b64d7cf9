// The pull kernel. pull.ptx beside this file is made of it by make_ptx.sh and is what ships; a test
// on a machine with nvcc makes it again and compares.
#include "pull_item.h"

namespace baton::transport::cuda {
namespace {

constexpr int kUnrolled = 8;

__device__ __forceinline__ uint4 Load(const uint4* at) { return __ldcs(at); }
__device__ __forceinline__ uint32_t Load(const uint32_t* at) { return __ldcs(at); }
__device__ __forceinline__ uint8_t Load(const uint8_t* at) { return __ldcs(at); }

// Each lane knows one piece of the group; the warp goes through the bytes of all of them together,
// with several loads of each lane under way.
template <typename Vector>
__device__ void CopyGroup(const Item& item, const Piece& mine, int lane) {
  constexpr uint32_t kAll = 0xffffffff;
  const uint32_t vectors = item.group_pieces * item.cut_vectors;
  for (uint32_t begin = 0; begin < vectors; begin += 32 * kUnrolled) {
    Vector value[kUnrolled];
    Vector* to[kUnrolled];
#pragma unroll
    for (int u = 0; u < kUnrolled; ++u) {
      const uint32_t k = begin + u * 32 + lane;
      const uint32_t piece = item.cut_vectors == 1 ? k : __umulhi(k, item.cut_inverse);
      const uint32_t at = (k - piece * item.cut_vectors) * sizeof(Vector);
      const uint64_t source = __shfl_sync(kAll, mine.source, piece & 31);
      const uint64_t target = __shfl_sync(kAll, mine.target, piece & 31);
      const uint32_t bytes = __shfl_sync(kAll, mine.bytes, piece & 31);
      to[u] = k < vectors && at < bytes ? reinterpret_cast<Vector*>(target + at) : nullptr;
      if (to[u] != nullptr) value[u] = Load(reinterpret_cast<const Vector*>(source + at));
    }
#pragma unroll
    for (int u = 0; u < kUnrolled; ++u) {
      if (to[u] != nullptr) __stcs(to[u], value[u]);
    }
  }
}

// The number of the item that the slice's group `wanted` is in. All lanes look at once, because
// items may lie across the bus: 32 of them take one round trip, 1024 two.
__device__ uint32_t FindItem(const Slice& slice, uint32_t wanted, int lane) {
  uint32_t low = 0;
  uint32_t count = slice.item_count;
  while (count > 1) {
    const uint32_t step = (count + 31) / 32;
    const uint32_t at = low + lane * step;
    const bool before = lane * step < count && slice.items[at].first_group <= wanted;
    const uint32_t last = 31 - __clz(__ballot_sync(0xffffffff, before));
    low += last * step;
    count = min(step, count - last * step);
  }
  return low;
}

}  // namespace

extern "C" __global__ void __launch_bounds__(512, 1)
    baton_pull(const __grid_constant__ Launch launch) {
  const int lane = threadIdx.x & 31;
  const uint32_t warps = gridDim.x * (blockDim.x >> 5);
  // Neighbouring groups go to different multiprocessors.
  for (uint32_t g = (threadIdx.x >> 5) * gridDim.x + blockIdx.x; g < launch.groups; g += warps) {
    const Slice& slice = FindSlice(launch, g);
    const uint32_t wanted = g - slice.launch_group + slice.group_begin;
    const Item& item = slice.items[FindItem(slice, wanted, lane)];
    const uint32_t group = wanted - item.first_group;
    const bool holds = lane < item.group_pieces;
    const Piece mine = holds ? PieceAt(item, group * item.group_pieces + lane) : Piece{0, 0, 0};
    if (item.vector_bytes == 16) {
      CopyGroup<uint4>(item, mine, lane);
    } else if (item.vector_bytes == 4) {
      CopyGroup<uint32_t>(item, mine, lane);
    } else {
      CopyGroup<uint8_t>(item, mine, lane);
    }
  }
}

}  // namespace baton::transport::cuda

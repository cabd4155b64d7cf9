#include "client/c/values.h"

#include <chrono>
#include <optional>
#include <variant>

#include "absl/strings/str_cat.h"
#include "client/c/pool_handle.h"
#include "common/reason.h"

namespace baton::c {
namespace {

template <typename Number>
Number Or(Number value, Number otherwise) {
  return value == 0 ? otherwise : value;
}

absl::Status Malformed(absl::string_view what) { return Error(Reason::kBadMessage, what); }

RankCoord CoordOf(const baton_coord& coord) { return {coord.dp, coord.pp, coord.cp, coord.tp}; }

absl::StatusOr<std::vector<uint32_t>> Numbers(const uint32_t* numbers, size_t count,
                                              absl::string_view what) {
  if (numbers == nullptr && count > 0) return Malformed(absl::StrCat(what, " is NULL"));
  return std::vector<uint32_t>(numbers, numbers + count);
}

// An enumerator of one byte; numbers that are none at all come out as 0, which no enum here has.
template <typename Enum>
Enum EnumOf(uint32_t number) {
  return static_cast<Enum>(number <= UINT8_MAX ? number : 0);
}

absl::StatusOr<planner::TensorSpec> TensorOf(const baton_tensor& given) {
  planner::TensorSpec tensor;
  tensor.kind = EnumOf<planner::Kind>(given.kind);
  tensor.name = Text(given.name);
  tensor.dtype = Text(given.dtype);
  auto layers = Numbers(given.layers, given.layer_count, "tensor.layers");
  if (!layers.ok()) return layers.status();
  auto blocks = Numbers(given.sub_blocks, given.sub_block_count, "tensor.sub_blocks");
  if (!blocks.ok()) return blocks.status();
  tensor.layers = *std::move(layers);
  tensor.sub_blocks = *std::move(blocks);
  tensor.page_group = given.page_group;
  tensor.heads = Or(given.heads, 1u);
  tensor.head_bytes = given.head_bytes;
  tensor.tokens_per_entry = Or(given.tokens_per_entry, 1u);
  tensor.tp_sharded = given.tp_sharded != 0;
  tensor.draft = given.draft != 0;
  tensor.last_stage = given.last_stage != 0;
  return tensor;
}

planner::BufferLayout BufferOf(const baton_buffer& given) {
  planner::BufferLayout buffer;
  buffer.tensor = given.tensor;
  buffer.layer = given.layer;
  buffer.region = given.region;
  buffer.offset = given.offset;
  buffer.pages = given.pages;
  buffer.page_stride = given.page_stride;
  buffer.entry_stride = given.entry_stride;
  buffer.head_stride = given.head_stride;
  return buffer;
}

absl::Status FillMemory(const baton_options& given, EngineOptions* options) {
  auto buffers = KnownArray(given.buffers, given.buffer_count, "baton_buffer");
  if (!buffers.ok()) return buffers.status();
  for (const baton_buffer& buffer : *buffers) options->layout.buffers.push_back(BufferOf(buffer));
  auto regions = KnownArray(given.regions, given.region_count, "baton_region");
  if (!regions.ok()) return regions.status();
  for (const baton_region& region : *regions) {
    options->regions.push_back({Text(region.name), region.fd, region.bytes, region.dma_buf != 0});
    if (region.pool == nullptr) continue;
    const auto* device = std::get_if<CudaPool>(&region.pool->memory);
    if (device == nullptr) return Malformed("baton_region.pool is none of baton_pool_export_cuda");
    options->regions.back().gpu = device->share;
  }
  return absl::OkStatus();
}

}  // namespace

template <typename Struct>
absl::StatusOr<std::vector<Struct>> KnownArray(const Struct* given, size_t count,
                                               const char* what) {
  std::vector<Struct> values;
  if (count == 0) return values;
  if (given == nullptr) return Malformed(absl::StrCat("an array of ", what, " is NULL"));
  const size_t distance = given->struct_size;
  if (distance < sizeof(uint64_t) || distance % alignof(Struct) != 0) {
    return Malformed(absl::StrCat(what, ".struct_size is ", distance, ": set it to sizeof(", what,
                                  ") in every element"));
  }
  values.reserve(count);
  const auto* bytes = reinterpret_cast<const char*>(given);
  for (size_t i = 0; i < count; ++i) {
    const auto* element = reinterpret_cast<const Struct*>(bytes + i * distance);
    if (element->struct_size != distance) {
      return Malformed(absl::StrCat(what, " number ", i, " has struct_size ", element->struct_size,
                                    ", the first one ", distance, ": give all the same"));
    }
    values.push_back(Known(element));
  }
  return values;
}

absl::StatusOr<planner::ServerSpec> SpecOf(const baton_spec* spec) {
  if (spec == nullptr) return Malformed("baton_options.spec is NULL");
  const baton_spec given = Known(spec);
  planner::ServerSpec result;
  result.sizes = CoordOf(given.sizes);
  result.cp_sharding =
      EnumOf<planner::CpSharding>(Or(given.cp_sharding, uint32_t{BATON_CP_REPLICATED}));
  if (given.stages == nullptr && given.stage_count > 0) return Malformed("spec.stages is NULL");
  for (size_t i = 0; i < given.stage_count; ++i) {
    auto layers = Numbers(given.stages[i].layers, given.stages[i].layer_count, "stage.layers");
    if (!layers.ok()) return layers.status();
    result.stages.push_back(*std::move(layers));
  }
  auto groups = KnownArray(given.page_groups, given.page_group_count, "baton_page_group");
  if (!groups.ok()) return groups.status();
  for (const baton_page_group& group : *groups) {
    result.page_groups.push_back({group.page_tokens, group.window_tokens});
  }
  auto tensors = KnownArray(given.tensors, given.tensor_count, "baton_tensor");
  if (!tensors.ok()) return tensors.status();
  for (const baton_tensor& tensor : *tensors) {
    auto one = TensorOf(tensor);
    if (!one.ok()) return one.status();
    result.tensors.push_back(*std::move(one));
  }
  return result;
}

absl::StatusOr<EngineOptions> OptionsOf(const baton_options* options) {
  const baton_options given = Known(options);
  if (given.role != BATON_ROLE_PREFILL && given.role != BATON_ROLE_DECODE) {
    return Malformed(absl::StrCat("baton_options.role is ", given.role,
                                  ": BATON_ROLE_PREFILL or BATON_ROLE_DECODE"));
  }
  EngineOptions result;
  result.agent_socket = Text(given.agent_socket);
  result.server = Text(given.server);
  result.launch_id = Text(given.launch_id);
  result.role = static_cast<Role>(given.role);
  result.coord = CoordOf(given.coord);
  result.model = Text(given.model);
  auto spec = SpecOf(given.spec);
  if (!spec.ok()) return spec.status();
  result.spec = *std::move(spec);
  if (absl::Status s = FillMemory(given, &result); !s.ok()) return s;
  if (given.labels == nullptr && given.label_count > 0) return Malformed("labels is NULL");
  for (size_t i = 0; i < given.label_count; ++i) {
    result.labels[Text(given.labels[i].key)] = Text(given.labels[i].value);
  }
  if (given.aliases == nullptr && given.alias_count > 0) return Malformed("aliases is NULL");
  for (size_t i = 0; i < given.alias_count; ++i) result.aliases.push_back(Text(given.aliases[i]));
  result.peers = Or(given.peers, result.peers);
  result.slots = Or(given.slots, result.slots);
  result.ring_bytes = Or(given.ring_bytes, result.ring_bytes);
  result.device_orders_writes = given.device_orders_writes != 0;
  if (given.attach_timeout_ms != 0) {
    result.attach_timeout = std::chrono::milliseconds(given.attach_timeout_ms);
  }
  return result;
}

absl::StatusOr<std::vector<absl::Span<const int32_t>>> PagesOf(const baton_pages* pages,
                                                               size_t count) {
  if (pages == nullptr && count > 0) return Malformed("pages is NULL");
  std::vector<absl::Span<const int32_t>> lists;
  lists.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    if (pages[i].pages == nullptr && pages[i].count > 0) {
      return Malformed(absl::StrCat("the pages of page group ", i, " are NULL"));
    }
    lists.emplace_back(pages[i].pages, pages[i].count);
  }
  return lists;
}

void CopyText(const std::string& text, char* out, size_t size) {
  size_t length = std::min(text.size(), size - 1);
  // A byte 10xxxxxx goes on with a character that began before it.
  while (length > 0 && length < text.size() && (text[length] & 0xC0) == 0x80) --length;
  std::memcpy(out, text.data(), length);
  out[length] = '\0';
}

baton_code Fail(const absl::Status& status, baton_error* error) {
  if (status.ok()) return BATON_OK;
  const auto code = static_cast<baton_code>(ReasonOf(status)) + 1;
  if (error == nullptr) return code;
  baton_error value{};
  value.struct_size = error->struct_size;
  value.code = code;
  CopyText(std::string(status.message()), value.text, sizeof(value.text));
  if (std::optional<RankRef> rank = RankOf(status); rank.has_value()) {
    CopyText(rank->server, value.server, sizeof(value.server));
    value.coord = {rank->coord.dp, rank->coord.pp, rank->coord.cp, rank->coord.tp};
  }
  std::memcpy(error, &value, std::min<size_t>(error->struct_size, sizeof(value)));
  return code;
}

}  // namespace baton::c

#include "transfer_agent/transport/stream/landing.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/reason.h"

namespace baton::transport {
namespace {

template <typename... Args>
absl::Status Wrong(const Frame& frame, const Args&... args) {
  return Error(Reason::kBadMessage,
               absl::StrCat("part ", frame.part, " at offset ", frame.offset, ": ", args...));
}

// Brings `part` to the frame's attempt. False: the frame is of a replaced one.
absl::StatusOr<bool> MatchAttempt(OpenedWindow* window, PartProgress* part, ChannelId channel,
                                  const Frame& frame) {
  const bool fresh = part->channel == ChannelId();
  if (!fresh && frame.attempt < part->attempt) return false;
  if (!fresh && frame.attempt > part->attempt) {
    if (part->closed) return false;  // It came whole; the repetition changes nothing.
    window->bytes -= part->bytes;
    const uint32_t restarts = part->restarts + 1;
    *part = PartProgress();
    part->restarts = restarts;
  }
  if (part->channel == ChannelId()) {
    part->channel = channel;
    part->attempt = frame.attempt;
  }
  if (part->channel != channel) return Wrong(frame, "it comes over two channels");
  return true;
}

absl::Status CheckOpenPart(const OpenedWindow& window, const PartProgress& part,
                           const Frame& frame) {
  if (part.closed) return Wrong(frame, "the part is closed");
  const planner::RoomTokens& tokens = window.window.tokens;
  if (frame.tokens == tokens) return absl::OkStatus();
  return Wrong(frame, "the source moves tokens [", frame.tokens.prefix, ", ", frame.tokens.total,
               "), the window has [", tokens.prefix, ", ", tokens.total, ")");
}

// Every byte comes once: else as many as the room has might not be all of it.
absl::Status CheckOrder(const OpenedWindow& window, const PartProgress& part, const Frame& frame) {
  const planner::ChunkRange& chunk = frame.chunk;
  if (const auto behind = part.order.GoesBack(chunk); behind.has_value()) {
    return Error(Reason::kBadChunk,
                 absl::StrCat("chunk [", chunk.token_begin, ", ", chunk.token_end,
                              ") does not go on from [", behind->before.token_begin, ", ",
                              behind->before.token_end, ") of page group ", behind->group));
  }
  if (window.parts.size() == 1) return absl::OkStatus();
  ChunkOrder with = part.order;
  with.Add(chunk);
  for (const auto& [number, other] : window.parts) {
    if (other.get() == &part || !with.Overlaps(other->order)) continue;
    return Error(Reason::kBadChunk,
                 absl::StrCat("chunk [", chunk.token_begin, ", ", chunk.token_end, ") of part ",
                              frame.part, " lies over what part ", number, " had"));
  }
  return absl::OkStatus();
}

absl::Status BeginChunk(OpenedWindow* window, PartProgress* part, const Frame& frame) {
  if (!part->chunk_complete()) {
    return Wrong(frame, "a chunk begins before the one before it is complete");
  }
  part->chunk = frame.chunk;
  part->chunk_bytes = 0;
  part->cursor = planner::Cursor(window->window.plan, window->window.tokens, frame.chunk, nullptr,
                                 &window->window.pages);
  if (part->cursor.bytes_total() == 0) return absl::OkStatus();
  if (absl::Status status = CheckOrder(*window, *part, frame); !status.ok()) return status;
  part->order.Add(frame.chunk);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Admission> Landing::Begin(OpenedWindow* window, ChannelId channel,
                                         const Frame& frame) {
  window_ = nullptr;
  PartProgress* part = window->Part(frame.part);
  absl::StatusOr<bool> current = MatchAttempt(window, part, channel, frame);
  if (!current.ok()) return current.status();
  if (!*current) return Admission::kStale;
  if (absl::Status s = CheckOpenPart(*window, *part, frame); !s.ok()) return s;
  if (frame.offset == 0) {
    if (absl::Status status = BeginChunk(window, part, frame); !status.ok()) return status;
  }
  if (!(frame.chunk == part->chunk) || frame.offset != part->chunk_bytes) {
    return Wrong(frame, "expected offset ", part->chunk_bytes, " of tokens [",
                 part->chunk.token_begin, ", ", part->chunk.token_end, ")");
  }
  if (frame.length > part->cursor.bytes_total() - part->chunk_bytes) {
    return Wrong(frame, frame.length, " bytes run past the chunk's ", part->cursor.bytes_total());
  }
  if (frame.length > window->bytes_max - window->bytes) {
    return Wrong(frame, "more than the room's ", window->bytes_max, " bytes");
  }
  part->chunk_bytes += frame.length;
  window->bytes += frame.length;
  part->bytes += frame.length;
  window_ = window;
  part_ = part;
  restarts_ = part->restarts;
  unmapped_ = frame.length;
  left_ = frame.length;
  return Admission::kLand;
}

absl::StatusOr<size_t> Landing::Map(absl::Span<iovec> out) {
  size_t count = 0;
  while (unmapped_ > 0) {
    planner::CopyRun& run = part_->rest;
    if (run.length == 0 && part_->cursor.Next(absl::MakeSpan(&run, 1)) == 0) {
      return absl::InternalError("the plan ends before the frame does");
    }
    const uint64_t length = std::min(run.length, unmapped_);
    std::byte* at = window_->memory->At(run.target_region, run.target_offset, length);
    if (at == nullptr) {
      return absl::InternalError(absl::StrCat("the plan leaves region ", run.target_region,
                                              " at offset ", run.target_offset));
    }
    iovec* last = count > 0 ? &out[count - 1] : nullptr;
    if (last != nullptr && static_cast<std::byte*>(last->iov_base) + last->iov_len == at) {
      last->iov_len += length;
    } else {
      if (count == out.size()) break;
      out[count++] = {at, length};
    }
    run.target_offset += length;
    run.length -= length;
    unmapped_ -= length;
  }
  return count;
}

void Landing::Landed(uint64_t bytes) { left_ -= bytes; }

absl::Status AdmitChunk(OpenedWindow* window, ChannelId channel, const Frame& frame,
                        uint64_t bytes) {
  PartProgress* part = window->Part(frame.part);
  absl::StatusOr<bool> current = MatchAttempt(window, part, channel, frame);
  if (!current.ok()) return current.status();
  if (!*current) return absl::NotFoundError("replaced");
  if (absl::Status s = CheckOpenPart(*window, *part, frame); !s.ok()) return s;
  if (absl::Status s = BeginChunk(window, part, frame); !s.ok()) return s;
  if (bytes > window->bytes_max - window->bytes) {
    return Wrong(frame, "more than the room's ", window->bytes_max, " bytes");
  }
  part->chunk_bytes = bytes;
  window->bytes += bytes;
  part->bytes += bytes;
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> ClosePart(OpenedWindow* window, ChannelId channel, const Frame& frame) {
  PartProgress* part = window->Part(frame.part);
  absl::StatusOr<bool> current = MatchAttempt(window, part, channel, frame);
  if (!current.ok()) return current.status();
  if (!*current) return absl::NotFoundError("replaced");
  // A repetition changes nothing.
  if (part->closed) return absl::NotFoundError("closed already");
  if (!part->chunk_complete()) {
    return Wrong(frame, "the part ends inside a chunk");
  }
  if (part->bytes != frame.offset) {
    return Wrong(frame, "the source says it had so many bytes, here are ", part->bytes);
  }
  part->closed = true;
  return part->bytes;
}

}  // namespace baton::transport

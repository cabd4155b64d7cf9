#include "transfer_agent/transport/cuda/target_datapath.h"

#include <poll.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/reason.h"

namespace baton::transport::cuda {
namespace {

// Enough small rooms for one launch: each has a chunk and an end.
constexpr int kMessagesPerPump = 256;
// Parts whose end came before their bytes were pulled: more than a source has segments.
constexpr size_t kHeldMax = 2 * kSegmentsPerChannelMax;

// To be asked after a pull. An engine that sees its agent dead may use its pages anew at once; a
// process closes its sockets before it can be seen dead, so an open one vouches for what was read.
absl::Status SourceLives(int fd) {
  pollfd state{.fd = fd, .events = POLLRDHUP, .revents = 0};
  if (poll(&state, 1, 0) <= 0) return absl::OkStatus();
  return Error(Reason::kTransport, "cuda: the source ended while its pages were being pulled");
}

}  // namespace

absl::StatusOr<Pumped> TargetDatapath::Pump(int fd, Edges) {
  absl::Status s = TakeOver();
  begun_.clear();
  for (int i = 0; s.ok() && i < kMessagesPerPump; ++i) {
    if (chunk_.has_value() && read_.words.size() == static_cast<uint32_t>(read_.words.front())) {
      // What came right is under way before the next chunk can break the window.
      if (std::find(begun_.begin(), begun_.end(), chunk_->offer) != begun_.end()) {
        return Pumped::kMore;
      }
      absl::StatusOr<bool> started = OnChunk();
      if (!started.ok()) return started.status();
      // Pulls that end make room, and Progress has them end.
      if (!*started) return Pumped::kMore;
    }
    absl::StatusOr<shm::Received> received = shm::Receive(fd, &message_);
    if (!received.ok()) return received.status();
    if (*received == shm::Received::kNothing) {
      if (absl::Status closed = CloseHeld(fd); !closed.ok()) return closed;
      absl::StatusOr<bool> sent = Acknowledge(fd);
      if (!sent.ok()) return sent.status();
      return Pumped::kBlocked;
    }
    s = OnMessage();
  }
  if (!s.ok()) return s;
  absl::StatusOr<bool> sent = Acknowledge(fd);
  if (!sent.ok()) return sent.status();
  return Pumped::kMore;
}

absl::Status TargetDatapath::TakeOver() {
  absl::StatusOr<std::vector<uint64_t>> over = engine_->TakeOver(context_.channel);
  if (!over.ok()) return over.status();
  if (over->empty()) return absl::OkStatus();
  acks_.insert(acks_.end(), over->begin(), over->end());
  return absl::OkStatus();
}

absl::StatusOr<bool> TargetDatapath::Acknowledge(int fd) {
  while (!acks_.empty()) {
    const Frame ack{
        .type = FrameType::kAck, .offer = {}, .tokens = {}, .chunk = {}, .serial = acks_.front()};
    absl::StatusOr<bool> sent = shm::Send(fd, ack, {}, {});
    if (!sent.ok() || !*sent) return sent;
    acks_.pop_front();
  }
  return true;
}

absl::Status TargetDatapath::OnMessage() {
  const Frame& frame = message_.frame;
  switch (frame.type) {
    case FrameType::kPages:
      return OnWords();
    case FrameType::kMemory:
      return OnMemory();
    case FrameType::kForget:
      memory_.Remove(frame.memory);
      return absl::OkStatus();
    case FrameType::kPart:
      return OnPart(frame);
    case FrameType::kCancel:
      OnCancel();
      return absl::OkStatus();
    case FrameType::kWelcome:
    case FrameType::kData:
    case FrameType::kRuns:
    case FrameType::kAck:
      break;
  }
  return Error(Reason::kBadMessage,
               absl::StrCat("frame of type ", static_cast<int>(frame.type), " on a cuda channel"));
}

absl::Status TargetDatapath::OnMemory() {
  const size_t count = message_.frame.count;
  if (message_.body_bytes != count * sizeof(MemoryRecord)) {
    return Error(Reason::kBadMessage, "cuda: memory frame with a body of the wrong size");
  }
  std::vector<MemoryRecord> records(count);
  std::memcpy(records.data(), message_.body(), message_.body_bytes);
  return memory_.Add(message_.frame.memory, records, std::move(message_.fds));
}

absl::Status TargetDatapath::OnWords() {
  const Frame& frame = message_.frame;
  if (!chunk_.has_value()) {
    chunk_ = frame;
    admitted_ = false;
    read_.words.clear();
  }
  const size_t have = read_.words.size();
  if (message_.body_bytes != frame.count * sizeof(int32_t) || frame.serial != chunk_->serial ||
      frame.offset != have) {
    return Error(Reason::kBadMessage,
                 absl::StrCat("cuda: ", frame.count, " words of chunk ", frame.serial, " from ",
                              frame.offset, " on, in ", message_.body_bytes, " bytes, after ", have,
                              " of chunk ", chunk_->serial));
  }
  read_.words.resize(have + frame.count);
  std::memcpy(read_.words.data() + have, message_.body(), message_.body_bytes);
  const auto all = static_cast<uint32_t>(read_.words.front());
  if (all <= kPageWordsMax && read_.words.size() <= all) return absl::OkStatus();
  return Error(Reason::kBadMessage, absl::StrCat("cuda: a chunk with lists of ", all, " words"));
}

absl::StatusOr<bool> TargetDatapath::OnChunk() {
  OpenedWindow* window = context_.windows->Find(context_.peer, chunk_->offer);
  bool pulled = false;
  if (window == nullptr || window->broken) {
    ++context_.counters->stale_dropped;
  } else {
    absl::StatusOr<bool> started = StartPull(window);
    if (started.ok() && !*started) return false;
    pulled = started.ok();
    if (absl::IsNotFound(started.status())) {
      ++context_.counters->stale_dropped;
    } else if (!pulled) {
      Break(window, started.status());
    }
  }
  if (!pulled) acks_.push_back(chunk_->serial);
  chunk_.reset();
  return true;
}

absl::StatusOr<bool> TargetDatapath::StartPull(OpenedWindow* window) {
  const Window& of = window->window;
  if (of.checksums) return Error(Reason::kTransport, "cuda makes no checksums");
  if (absl::Status s = read_.Parse(); !s.ok()) return s;
  if (absl::Status s = CheckLists(*of.plan, read_.pages); !s.ok()) return s;
  const planner::Cursor cursor(of.plan, of.tokens, chunk_->chunk, &read_.pages, &of.pages);
  if (!admitted_) {
    absl::Status s = AdmitChunk(window, context_.channel, *chunk_, cursor.bytes_total());
    if (!s.ok()) return s;
    admitted_ = true;
  }
  return AddPull(window, cursor);
}

absl::StatusOr<bool> TargetDatapath::AddPull(OpenedWindow* window, const planner::Cursor& cursor) {
  const Window& of = window->window;
  absl::StatusOr<Puller*> puller = engine_->PullerFor(of.memory, &memory_, chunk_->memory);
  if (!puller.ok()) return puller.status();
  const Gpu* gpu = (*puller)->gpu();
  absl::StatusOr<const MappedRegions*> target = engine_->TargetOn(gpu, of.memory);
  if (!target.ok()) return target.status();
  auto source = memory_.On(gpu, chunk_->memory);
  if (!source.ok()) return source.status();
  // Asked again at the next turn.
  if (*target == nullptr || *source == nullptr) return false;
  work_.Read(cursor);
  if (absl::Status s = work_.CheckSource(read_.pages, (*source)->sizes); !s.ok()) return s;
  if (absl::Status s = work_.CheckTarget(of.pages, (*target)->sizes); !s.ok()) return s;
  if (work_.items() == 0) return Error(Reason::kBadMessage, "cuda: a chunk without bytes");
  Pull pull;
  pull.channel = context_.channel;
  pull.serial = chunk_->serial;
  pull.window = window;
  pull.source = *source;
  absl::StatusOr<bool> added =
      (*puller)->Add(std::move(pull), &work_, (*source)->at, (*target)->at);
  if (added.ok() && *added) begun_.push_back(of.offer);
  return added;
}

absl::Status TargetDatapath::OnPart(const Frame& frame) {
  OpenedWindow* window = context_.windows->Find(context_.peer, frame.offer);
  if (window == nullptr || window->broken) {
    ++context_.counters->stale_dropped;
    return absl::OkStatus();
  }
  if (engine_->Pulls(window, context_.channel)) {
    if (held_.size() == kHeldMax) return Error(Reason::kBadMessage, "cuda: too many parts end");
    held_.push_back(frame);
    return absl::OkStatus();
  }
  absl::StatusOr<uint64_t> bytes = ClosePart(window, context_.channel, frame);
  if (bytes.ok()) {
    context_.events->Part(context_.channel, context_.peer, frame.offer, frame.part, *bytes);
  } else if (absl::IsNotFound(bytes.status())) {
    ++context_.counters->stale_dropped;
  } else {
    Break(window, bytes.status());
  }
  return absl::OkStatus();
}

absl::Status TargetDatapath::CloseHeld(int fd) {
  if (held_.empty()) return absl::OkStatus();
  if (absl::Status s = SourceLives(fd); !s.ok()) return s;
  std::vector<Frame> frames;
  frames.swap(held_);
  for (const Frame& frame : frames) {
    if (absl::Status s = OnPart(frame); !s.ok()) return s;
  }
  return absl::OkStatus();
}

void TargetDatapath::OnCancel() {
  OpenedWindow* window = context_.windows->Find(context_.peer, message_.frame.offer);
  if (window != nullptr) Break(window, Error(Reason::kAborted, "the source cancelled"));
}

void TargetDatapath::Break(OpenedWindow* window, const absl::Status& cause) {
  if (window->broken) return;
  window->broken = true;
  engine_->DropWindow(window);
  context_.events->WindowBroken(context_.peer, window->window.offer, cause);
}

}  // namespace baton::transport::cuda

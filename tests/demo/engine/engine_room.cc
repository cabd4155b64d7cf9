#include "tests/demo/engine/engine_room.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/reason.h"

namespace baton::demo {
namespace {

// A room must be terminal at its deadline; this much later the engine stops believing it.
constexpr uint64_t kPatienceNs = 10'000'000'000;

}  // namespace

uint64_t NowNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::string Describe(const absl::Status& status) {
  std::string text = std::string(ReasonName(ReasonOf(status)));
  if (auto rank = RankOf(status)) absl::StrAppend(&text, " at ", ToString(*rank));
  return absl::StrCat(text, ": ", status.message());
}

EngineRoom::EngineRoom(EngineClient* engine, RankMemory* memory, v1::OpenRoom open, RoomShare share)
    : engine_(engine),
      memory_(memory),
      open_(std::move(open)),
      share_(std::move(share)),
      give_up_ns_(NowNs() + open_.time_left_ms() * uint64_t{1'000'000} + kPatienceNs) {
  report_.set_id(open_.id());
  report_.set_nonce(open_.nonce());
}

bool EngineRoom::Step() {
  if (finished_) return false;
  if (checking_) {
    if (!Check()) Finish();
    return true;
  }
  if (!opened_) return StepOpen();
  RoomStatus status = engine_->Poll(handle_);
  if (IsTerminal(status)) return StepTerminal(status);
  if (NowNs() > give_up_ns_) {
    Fail("the room is past its deadline and still not terminal");
    Finish();
    return true;
  }
  return Work(status);
}

bool EngineRoom::StepOpen() {
  absl::StatusOr<RoomHandle> handle = Open();
  if (handle.ok()) {
    report_.set_opened_ns(NowNs());
    handle_ = *handle;
    opened_ = true;
    return true;
  }
  if (ReasonOf(handle.status()) == Reason::kFull && NowNs() < give_up_ns_) return false;
  Fail(Describe(handle.status()));
  released_ = true;
  Finish();
  return true;
}

bool EngineRoom::StepTerminal(const RoomStatus& status) {
  if (report_.done_ns() == 0) report_.set_done_ns(NowNs());
  if (status.phase != RoomPhase::kDone && report_.error().empty()) {
    Fail(Describe(engine_->Cause(handle_)));
  }
  if (!status.released) {
    if (NowNs() < give_up_ns_) return false;
    Fail(absl::StrCat(report_.error(), "; the pages were never released"));
    Finish();
    return true;
  }
  released_ = true;
  if (report_.error().empty()) {
    checking_ = true;
  } else {
    Finish();
  }
  return true;
}

void EngineRoom::Fail(const std::string& why) { report_.set_error(why); }

void EngineRoom::Finish() {
  if (opened_) engine_->Close(handle_);
  finished_ = true;
}

}  // namespace baton::demo

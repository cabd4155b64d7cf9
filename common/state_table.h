// A state machine as a table: every (state, event) that can happen is a row, everything else is a
// programmer's error. docs/states/ has each table drawn; a test fails when the two differ.
//
//   enum class Door { kOpen, kShut };
//   enum class DoorEvent { kPush, kPull };
//   constexpr Transition<Door, DoorEvent> kDoorRows[] = {
//       {Door::kOpen, DoorEvent::kPush, Door::kShut},
//       {Door::kShut, DoorEvent::kPull, Door::kOpen},
//   };
//   StateMachine<Door, DoorEvent> door("door", kDoorRows, Door::kShut);
//   door.Advance(DoorEvent::kPull);
//
// Names come from `absl::string_view Name(Door)` and `Name(DoorEvent)`, found beside the enums.
// Thread-compatible.
#ifndef BATON_COMMON_STATE_TABLE_H_
#define BATON_COMMON_STATE_TABLE_H_

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace baton {

template <typename State, typename Event>
struct Transition {
  State from;
  Event on;
  State to;
};

// Ends the program: "room: no row for (landed, fail)".
[[noreturn]] void DieOfIllegalTransition(absl::string_view table, absl::string_view from,
                                         absl::string_view on);

template <typename State, typename Event>
class StateMachine {
 public:
  using Rows = absl::Span<const Transition<State, Event>>;

  // `name` and `rows` are constants.
  StateMachine(absl::string_view name, Rows rows, State initial)
      : name_(name), rows_(rows), state_(initial) {}

  State state() const { return state_; }

  bool CanAdvance(Event on) const { return Find(on) != nullptr; }

  // The only writer of the state. An event without a row is a programmer's error.
  State Advance(Event on) {
    const Transition<State, Event>* row = Find(on);
    if (row == nullptr) DieOfIllegalTransition(name_, Name(state_), Name(on));
    return state_ = row->to;
  }

 private:
  const Transition<State, Event>* Find(Event on) const {
    for (const auto& row : rows_) {
      if (row.from == state_ && row.on == on) return &row;
    }
    return nullptr;
  }

  absl::string_view name_;
  Rows rows_;
  State state_;
};

// The table in Graphviz's language: what docs/states/NAME.dot must hold.
template <typename State, typename Event>
std::string RenderDot(absl::string_view name, absl::Span<const Transition<State, Event>> rows,
                      State initial) {
  std::string dot = absl::StrCat("digraph ", name, " {\n  start [shape=point];\n  start -> ",
                                 Name(initial), ";\n");
  for (const auto& row : rows) {
    absl::StrAppend(&dot, "  ", Name(row.from), " -> ", Name(row.to), " [label=\"", Name(row.on),
                    "\"];\n");
  }
  return dot + "}\n";
}

}  // namespace baton

#endif  // BATON_COMMON_STATE_TABLE_H_

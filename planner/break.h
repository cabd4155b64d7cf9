// Deliberate faults, to show that the proof notices them. Only the test-only library
// //planner:breakable_plan is compiled with BATON_PLANNER_BREAKS; everywhere else a break is
// `false`. planner/proof/breaks_test.cc lists them.
#ifndef BATON_PLANNER_BREAK_H_
#define BATON_PLANNER_BREAK_H_

namespace baton::planner {

#ifdef BATON_PLANNER_BREAKS
extern int planner_break;  // number of the fault that is on; 0: none
inline bool Broken(int number) { return planner_break == number; }
#else
constexpr bool Broken(int) { return false; }
#endif

}  // namespace baton::planner

#endif  // BATON_PLANNER_BREAK_H_

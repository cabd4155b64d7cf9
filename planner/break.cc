#include "planner/break.h"

namespace baton::planner {

int planner_break = 0;

}  // namespace baton::planner

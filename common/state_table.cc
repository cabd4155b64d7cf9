#include "common/state_table.h"

#include "common/log.h"

namespace baton {

void DieOfIllegalTransition(absl::string_view table, absl::string_view from, absl::string_view on) {
  LOG(FATAL) << table << ": no row for (" << from << ", " << on << ")";
  abort();
}

}  // namespace baton

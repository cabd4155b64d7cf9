#include "client/router/table_entry.h"

#include <algorithm>

#include "planner/compatible.h"

namespace baton::router {

bool Table::Entry::SameStart(const v1::ServerRecord& other) const {
  const v1::ServerRecord& mine = *record;
  if (mine.incarnation() != other.incarnation() || mine.role() != other.role() ||
      mine.model() != other.model() || mine.labels_size() != other.labels_size()) {
    return false;
  }
  for (const auto& [key, value] : mine.labels()) {
    auto found = other.labels().find(key);
    if (found == other.labels().end() || found->second != value) return false;
  }
  return mine.spec().SerializeAsString() == other.spec().SerializeAsString();
}

Pool* Table::Model::AddPool(size_t side, planner::ServerSpec spec, Marks marks) {
  pools[side].push_back(std::make_unique<Pool>(std::move(spec), std::move(marks)));
  Pool* pool = pools[side].back().get();
  for (const std::unique_ptr<Pool>& other : pools[1 - side]) {
    const Pool* source = side == 0 ? pool : other.get();
    const Pool* target = side == 0 ? other.get() : pool;
    if (!source->marks().Fit(target->marks())) continue;
    if (planner::FindIncompatibility(source->spec(), target->spec())) continue;
    pool->partners.push_back(other.get());
    other->partners.push_back(pool);
    pool->open_partners += other->size() > 0 ? 1 : 0;
  }
  return pool;
}

void Table::Model::RemovePool(size_t side, Pool* pool) {
  for (Pool* partner : pool->partners) {
    auto& theirs = partner->partners;
    theirs.erase(std::find(theirs.begin(), theirs.end(), pool));
  }
  auto& mine = pools[side];
  mine.erase(std::find_if(mine.begin(), mine.end(), [pool](const std::unique_ptr<Pool>& other) {
    return other.get() == pool;
  }));
}

}  // namespace baton::router

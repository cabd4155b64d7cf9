// Where two messages first differ, for people.
#ifndef BATON_BOOTSTRAP_SERVICE_REGISTRY_DIFFERENCE_H_
#define BATON_BOOTSTRAP_SERVICE_REGISTRY_DIFFERENCE_H_

#include <google/protobuf/message.h>

#include <optional>
#include <string>

namespace baton::registry {

struct Difference {
  std::string field;  // "tensors[3].dtype", "stages[1].layers.size"
  std::string first;
  std::string second;
};

// In the order of field numbers. Both are of one type. Fields of a newer schema do not count: an
// older service cannot know whether they matter.
std::optional<Difference> FirstDifference(const google::protobuf::Message& first,
                                          const google::protobuf::Message& second);

}  // namespace baton::registry

#endif  // BATON_BOOTSTRAP_SERVICE_REGISTRY_DIFFERENCE_H_

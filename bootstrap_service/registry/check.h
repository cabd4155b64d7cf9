// What a request must look like before the registry acts on it. Every refusal names the field and,
// where there is one, the rank.
#ifndef BATON_BOOTSTRAP_SERVICE_REGISTRY_CHECK_H_
#define BATON_BOOTSTRAP_SERVICE_REGISTRY_CHECK_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "baton/v1/registry.pb.h"
#include "bootstrap_service/registry/limits.h"

namespace baton::registry {

// Letters, digits and "-_.:/@", 1 to kNameBytesMax.
absl::Status CheckName(absl::string_view field, absl::string_view name);
absl::Status CheckRequest(const v1::RegisterServerRequest& request, const Limits& limits);
absl::Status CheckRequest(const v1::RegisterRankRequest& request, const Limits& limits);
// Whether a server can exist like this. Asked once for each start: its other ranks bring the same.
absl::Status CheckMeaning(const v1::ServerSpec& spec);

}  // namespace baton::registry

#endif  // BATON_BOOTSTRAP_SERVICE_REGISTRY_CHECK_H_

#include "transfer_agent/transport/verbs/factory.h"

#include <utility>

#include "transfer_agent/transport/verbs/provider/ibverbs.h"
#include "transfer_agent/transport/verbs/verbs_transport.h"

namespace baton::transport {

absl::StatusOr<std::unique_ptr<Transport>> CreateVerbsTransport(const verbs::VerbsOptions& options,
                                                                VerbsChoice* choice) {
  absl::StatusOr<std::unique_ptr<verbs::VerbsTransport>> made =
      verbs::VerbsTransport::Create(verbs::MakeIbverbsProvider(), options);
  if (!made.ok()) return made.status();
  if (choice != nullptr) {
    choice->summary = (*made)->rails().selection().Summary();
    if (options.memory_windows) choice->summary += "; keys by memory windows";
    choice->candidates = (*made)->rails().selection().candidates;
    choice->ports = (*made)->rails().metrics();
  }
  return *std::move(made);
}

}  // namespace baton::transport

// An agent's status as tables.
#ifndef BATON_CLIENT_CTL_AGENT_VIEW_H_
#define BATON_CLIENT_CTL_AGENT_VIEW_H_

#include <google/protobuf/repeated_field.h>

#include "baton/v1/agent.pb.h"
#include "client/ctl/view.h"

namespace baton::ctl {

View AgentView(const v1::AgentStatusResponse& status);
Section FindingsSection(const google::protobuf::RepeatedPtrField<v1::CheckFinding>& findings);

}  // namespace baton::ctl

#endif  // BATON_CLIENT_CTL_AGENT_VIEW_H_

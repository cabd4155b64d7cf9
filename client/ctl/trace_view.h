// Rooms with the time of each stage, as tables.
#ifndef BATON_CLIENT_CTL_TRACE_VIEW_H_
#define BATON_CLIENT_CTL_TRACE_VIEW_H_

#include <google/protobuf/repeated_field.h>

#include <string>

#include "baton/v1/agent.pb.h"
#include "baton/v1/report.pb.h"
#include "client/ctl/view.h"

namespace baton::ctl {

using Traces = google::protobuf::RepeatedPtrField<v1::RoomTrace>;

// One line a room and rank.
Section RoomsSection(const Traces& traces);
// One room over all its ranks: the ranks, their stages on one axis of time, who they wait for.
View TraceView(const Traces& traces);
// Agents that were asked in vain.
Section SilentSection(const google::protobuf::RepeatedPtrField<v1::AgentSilence>& silent);
// "DEADLINE: too late (prefill-a[dp0/pp0/cp0/tp0])", or "-".
std::string ShowCause(const v1::RoomStatus& room);

}  // namespace baton::ctl

#endif  // BATON_CLIENT_CTL_TRACE_VIEW_H_

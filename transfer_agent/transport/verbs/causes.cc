#include "transfer_agent/transport/verbs/causes.h"

#include "absl/strings/str_cat.h"

namespace baton::transport::verbs {
namespace {

absl::string_view Explain(ibv_wc_status status) {
  switch (status) {
    case IBV_WC_RETRY_EXC_ERR:
      return "no acknowledgement after all retries: the peer's agent or its queue pair is gone, "
             "its port is down, or packets are lost (check cable, MTU, PFC, routing, firewall of "
             "UDP port 4791)";
    case IBV_WC_RNR_RETRY_EXC_ERR:
      return "the peer posted no receives in time: its agent hangs";
    case IBV_WC_REM_ACCESS_ERR:
      return "the peer's device refused the address or key: its memory is registered no more (did "
             "its engine leave?), or it took the channel's keys back as a fence was not answered";
    case IBV_WC_REM_INV_REQ_ERR:
      return "the peer's device refused the request: its queue pair is set up for another use";
    case IBV_WC_REM_OP_ERR:
      return "the peer's device could not carry it out";
    case IBV_WC_LOC_PROT_ERR:
      return "the own device refused the address or key: the pool is registered no more";
    case IBV_WC_LOC_LEN_ERR:
      return "the write is longer than the device or path allows";
    case IBV_WC_MW_BIND_ERR:
      return "the own device refused to bind a memory window";
    case IBV_WC_LOC_QP_OP_ERR:
      return "the own device could not carry it out";
    case IBV_WC_WR_FLUSH_ERR:
      return "the queue pair is in error";
    case IBV_WC_FATAL_ERR:
      return "the device has failed: see the kernel's log";
    default:
      return "see the device's documentation";
  }
}

}  // namespace

std::string ExplainFailure(ibv_wc_status status, uint32_t vendor_error, const QueuePair& qp) {
  return absl::StrCat(
      "verbs ", qp.rail().name(), " queue pair ", qp.qp()->qp_num, " to ",
      qp.rail().chosen().port.infiniband ? absl::StrCat("lid ", qp.far.lid) : GidText(qp.far.gid),
      ": ", Explain(status), " (status ", static_cast<int>(status), ", vendor error ", vendor_error,
      ")");
}

CompletionError ErrorOf(ibv_wc_status status) {
  switch (status) {
    case IBV_WC_RETRY_EXC_ERR:
      return CompletionError::kRetryExceeded;
    case IBV_WC_RNR_RETRY_EXC_ERR:
      return CompletionError::kRnrRetryExceeded;
    case IBV_WC_REM_ACCESS_ERR:
      return CompletionError::kRemoteAccess;
    case IBV_WC_REM_INV_REQ_ERR:
      return CompletionError::kRemoteRequest;
    case IBV_WC_REM_OP_ERR:
      return CompletionError::kRemoteOperation;
    case IBV_WC_LOC_PROT_ERR:
      return CompletionError::kLocalProtection;
    case IBV_WC_LOC_LEN_ERR:
      return CompletionError::kLocalLength;
    case IBV_WC_LOC_QP_OP_ERR:
      return CompletionError::kLocalOperation;
    case IBV_WC_MW_BIND_ERR:
      return CompletionError::kWindowBind;
    case IBV_WC_WR_FLUSH_ERR:
      return CompletionError::kFlushed;
    case IBV_WC_FATAL_ERR:
      return CompletionError::kDevice;
    default:
      return CompletionError::kOther;
  }
}

bool IsOwnFault(ibv_wc_status status) {
  return status == IBV_WC_FATAL_ERR || status == IBV_WC_LOC_QP_OP_ERR ||
         status == IBV_WC_GENERAL_ERR;
}

bool IsRequestFault(ibv_wc_status status) {
  return status == IBV_WC_REM_ACCESS_ERR || status == IBV_WC_LOC_PROT_ERR ||
         status == IBV_WC_LOC_LEN_ERR;
}

absl::string_view ExplainEvent(ibv_event_type type) {
  switch (type) {
    case IBV_EVENT_CQ_ERR:
      return "its completion queue overran";
    case IBV_EVENT_QP_FATAL:
      return "a queue pair failed: see the kernel's log";
    case IBV_EVENT_QP_REQ_ERR:
      return "a queue pair got a request that it refuses";
    case IBV_EVENT_QP_ACCESS_ERR:
      return "a queue pair got a request for memory that is not registered for it";
    case IBV_EVENT_DEVICE_FATAL:
      return "the device has failed: see the kernel's log, then restart the agent";
    case IBV_EVENT_PORT_ACTIVE:
      return "port is up again: new channels use it";
    case IBV_EVENT_PORT_ERR:
      return "port is down: no new channel uses it; check cable and switch";
    case IBV_EVENT_GID_CHANGE:
      return "its GID table has changed";
    case IBV_EVENT_LID_CHANGE:
      return "its LID has changed";
    case IBV_EVENT_CLIENT_REREGISTER:
      return "the subnet manager asks all to register again";
    case IBV_EVENT_SM_CHANGE:
      return "another subnet manager rules the port";
    case IBV_EVENT_PKEY_CHANGE:
      return "its partition table has changed: channels of a partition that it left will fail";
    case IBV_EVENT_SRQ_ERR:
    case IBV_EVENT_SRQ_LIMIT_REACHED:
      return "a shared receive queue says so, and none is used";
    case IBV_EVENT_QP_LAST_WQE_REACHED:
      return "a queue pair has drained";
    case IBV_EVENT_COMM_EST:
      return "a queue pair heard from its peer";
    default:
      return "event without consequence";
  }
}

}  // namespace baton::transport::verbs

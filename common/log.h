// Logs are events: one line per state change, ids first, nothing per work request.
#ifndef BATON_COMMON_LOG_H_
#define BATON_COMMON_LOG_H_

#include <glog/logging.h>

namespace baton {

// To standard error, with program name, level by --minloglevel or GLOG_minloglevel.
void InitLog(const char* program);

}  // namespace baton

#endif  // BATON_COMMON_LOG_H_

#include "common/log.h"

namespace baton {

void InitLog(const char* program) {
  FLAGS_logtostderr = true;
  google::InitGoogleLogging(program);
}

}  // namespace baton

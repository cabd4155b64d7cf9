// A bootstrap service and agents as processes of their own, with sockets and logs in a folder that
// goes when this does; so do they. For benches: whatever goes wrong is fatal. From the main thread
// alone.
#ifndef BATON_BENCH_CLUSTER_H_
#define BATON_BENCH_CLUSTER_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/demo/runner/child.h"
#include "tests/demo/runner/workplace.h"

namespace baton::bench {

class Cluster {
 public:
  // Of the bench, which finds the programs beside itself.
  explicit Cluster(const std::string& argv0);

  // Returns its address once it serves.
  std::string RunBootstrap(const std::string& listen);
  // Returns once it serves.
  pid_t RunAgent(const std::string& name, const std::string& bootstrap,
                 std::vector<std::string> flags);
  std::string AttachSocket(const std::string& agent) const { return Path(agent) + ".a"; }
  // Where it serves HTTP, if its flags have an --admin_listen.
  std::string Admin(const std::string& agent) const;

 private:
  std::string Path(const std::string& name) const { return folder_->path() + "/" + name; }
  void Run(const std::string& name, const std::string& program, std::vector<std::string> flags);

  const std::string argv0_;
  std::unique_ptr<demo::ScratchFolder> folder_;
  std::vector<std::unique_ptr<demo::Child>> children_;
};

}  // namespace baton::bench

#endif  // BATON_BENCH_CLUSTER_H_

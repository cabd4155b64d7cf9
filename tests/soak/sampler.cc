#include "tests/soak/sampler.h"

#include "admin/http_get.h"
#include "tests/soak/scrape.h"
#include "tests/support/process_usage.h"

namespace baton::soak {
namespace {

double Seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

void Sampler::Record(const Process& process, const std::string& what, double value, TimePoint now,
                     bool keep) {
  const SeriesKey key{process.watched.name, what};
  last_[key] = value;
  if (!keep) return;
  series_[key].push_back({process.life, Seconds(now - process.born), Seconds(now - start_), value});
}

void Sampler::TakeOf(Process* process, TimePoint now, bool keep) {
  const pid_t pid = process->watched.pid();
  if (pid == 0) return;
  if (pid != process->pid) {
    if (process->pid != 0) ++process->life;
    process->pid = pid;
    process->born = now;
    process->cpu_seconds = 0;
  }
  const ProcessUsage usage = UsageOf(pid);
  // It is just ending.
  if (usage.anonymous_bytes == 0) return;
  Record(*process, kMemory, usage.anonymous_bytes / 1024.0, now, keep);
  Record(*process, kShared, usage.shared_bytes / 1024.0, now, keep);
  Record(*process, kFiles, static_cast<double>(usage.files), now, keep);
  Record(*process, kThreads, static_cast<double>(usage.threads), now, keep);
  cpu_seconds_ += usage.cpu_seconds - process->cpu_seconds;
  process->cpu_seconds = usage.cpu_seconds;
  if (process->watched.admin.empty()) return;
  const admin::HttpReply reply = admin::HttpGet(process->watched.admin, "/metrics");
  if (reply.status != 200) return;
  for (const auto& [name, value] : SumByName(reply.body, process->watched.sizes)) {
    Record(*process, name, value, now, keep);
  }
}

void Sampler::Take(TimePoint now, bool keep) {
  last_.clear();
  for (Process& process : processes_) TakeOf(&process, now, keep);
}

}  // namespace baton::soak

#include "client/router/app/stats.h"

#include "common/metrics/scrape.h"
#include "common/version.h"

namespace baton::proxy {
namespace {

using metrics::Metric;

double Between(const metrics::SharedCount& begun, const metrics::SharedCount& ended) {
  const uint64_t over = ended.value();  // first: it never runs ahead
  return static_cast<double>(begun.value() - over);
}

}  // namespace

std::string RouterMetrics(const Stats& stats, bool ready) {
  metrics::Scrape scrape(metrics::Program::kRouter);
  for (size_t i = 0; i < kOutcomes; ++i) {
    scrape.Add(Metric::kRouterRequests, {kOutcomeNames[i]},
               static_cast<double>(stats.requests[i].value()));
  }
  scrape.Add(Metric::kRouterFailedLegs, {"prefill"},
             static_cast<double>(stats.failed_legs[0].value()));
  scrape.Add(Metric::kRouterFailedLegs, {"decode"},
             static_cast<double>(stats.failed_legs[1].value()));
  scrape.Add(Metric::kRouterFirstByte, {}, stats.first_byte.Read());
  scrape.Add(Metric::kRouterOpenRequests, {}, Between(stats.begun, stats.ended));
  scrape.AddCommon("baton-router", kVersionText, ready);
  return scrape.Text();
}

}  // namespace baton::proxy

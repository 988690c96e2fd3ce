# Two commands do all the set-up: `make demo` and `make test`. `make help` lists the others.
# PYTHON chooses the interpreter (3.10 to 3.14): `make test PYTHON=python3.12`.

PYTHON ?= python3
PYTEST_ARGS ?=
FUZZ_SECONDS ?= 60
# tflite-runtime needs a Python before 3.12; without one, its test is skipped by name
LEGACY_PYTHON ?= $(shell for p in $(PYTHON) python3.11 python3.10; do \
  $$p -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] < (3, 12))' 2>/dev/null && echo $$p && break; done)

NATIVE := pyproject.toml $(shell find cpp -type f)
SOURCES := $(NATIVE) README.md LICENSE $(shell find edgeemo converters -type f -not -path '*/__pycache__/*')
PIP := -m pip --disable-pip-version-check --quiet
# show that the answers need no network, where the system lets us cut it off
OFFLINE := $(shell unshare --map-root-user --net true 2>/dev/null && echo unshare --map-root-user --net)

DEMO := .venv
TEST := .venv-test
LEGACY := .venv-legacy
WHEEL := .venv-wheel
PEERS := .venv-peers
BIN := $(CURDIR)/$(TEST)/bin
CMAKE := PATH="$(BIN):$$PATH" $(BIN)/cmake
CTEST := $(BIN)/ctest --output-on-failure

export PYTHONDONTWRITEBYTECODE = 1
export TF_CPP_MIN_LOG_LEVEL ?= 3
export CUDA_VISIBLE_DEVICES ?= -1

.DELETE_ON_ERROR:
.PHONY: help demo test test-env peers peers-train table instructions instructions-baseline legacy prepare lint types format format-check docs mutants \
  cpp-test sanitize tsan aarch64 aarch64-root aarch64-wheel aarch64-test fuzz wheel-test bench bench-answers releases vulkan clean

help:
	@echo "make demo          install into $(DEMO) and read a few sentences with the shipped model, offline"
	@echo "make test          install into $(TEST) and $(LEGACY) and run all tests"
	@echo "make lint types format-check cpp-test sanitize tsan fuzz wheel-test bench-answers format clean"
	@echo "make docs          build the documentation into build/site"
	@echo "make peers peers-train bench table    measure beside peers: DATA=... names the data"
	@echo "make instructions               count the instructions of our own code beside the baseline"

prepare:
	@PYTHON="$(PYTHON)" .ci/prepare

# --- the demonstration ---

$(DEMO)/.stamp: $(SOURCES) | prepare
	$(PYTHON) -m venv $(DEMO)
	$(DEMO)/bin/python $(PIP) install .
	@touch $@

demo: $(DEMO)/.stamp
	@printf '%s\n' "What a wonderful surprise, thank you so much!" "I miss her every single day." \
	  "How dare you talk to me like that?" "Please don't leave me alone in the dark." \
	  "The meeting is on Tuesday at ten." "Wait, you can do that? I had no idea!" "😀" "" \
	  | $(OFFLINE) $(DEMO)/bin/edgeemo predict
	@echo
	$(OFFLINE) $(DEMO)/bin/edgeemo predict "I am so proud of you, and a little afraid." --json

# --- the tests ---

$(TEST)/.stamp: $(NATIVE) | prepare
	$(PYTHON) -m venv $(TEST)
	$(TEST)/bin/python $(PIP) install cmake ninja
	$(TEST)/bin/python $(PIP) install --editable ".[dev,docs,train,eval,voice]"
	@touch $@

test-env: $(TEST)/.stamp

$(LEGACY)/.stamp: $(SOURCES) | prepare
	$(LEGACY_PYTHON) -m venv $(LEGACY)
	$(LEGACY)/bin/python $(PIP) install ".[legacy]"
	@touch $@

ifeq ($(LEGACY_PYTHON),)
legacy:
	@echo "no Python before 3.12 here: the test of tflite-runtime will be skipped"
else
legacy: $(LEGACY)/.stamp
endif

test: $(TEST)/.stamp legacy
	FUZZ_SECONDS=$(if $(findstring file,$(origin FUZZ_SECONDS)),5,$(FUZZ_SECONDS)) $(TEST)/bin/python -m pytest $(PYTEST_ARGS)

# small faults, planted one at a time: ONLY="face smooth" for those whose file or text has one of the words
mutants: $(TEST)/.stamp
	$(TEST)/bin/python tests/mutants.py $(ONLY)

# --- checks ---

lint: $(TEST)/.stamp
	$(BIN)/ruff check .
	$(BIN)/codespell *.md docs edgeemo converters cpp tests benchmarks

format-check: $(TEST)/.stamp
	$(BIN)/ruff format --check .
	find cpp tests/cpp -name '*.cpp' -o -name '*.h' | xargs $(BIN)/clang-format --dry-run --Werror

format: $(TEST)/.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	find cpp tests/cpp -name '*.cpp' -o -name '*.h' | xargs $(BIN)/clang-format -i

# mypy sees the package as it is installed: the converters inside it
types: $(TEST)/.stamp
	@rm -rf build/types && mkdir -p build/types
	@cp -rs $(CURDIR)/edgeemo build/types/edgeemo && cp -rs $(CURDIR)/converters build/types/edgeemo/converters
	$(BIN)/mypy build/types/edgeemo tests benchmarks docs/generate.py

cpp-test: $(TEST)/.stamp
	$(CMAKE) -S cpp -B build/werror -G Ninja -DCMAKE_BUILD_TYPE=Release -DEDGEEMO_WERROR=ON -DEDGEEMO_TESTS=ON
	$(CMAKE) --build build/werror
	$(CTEST) --test-dir build/werror

# parallel streams under the thread sanitizer, on a library that stands in for LiteRT
tsan: $(TEST)/.stamp
	$(CMAKE) -S cpp -B build/tsan -G Ninja -DCMAKE_BUILD_TYPE=Debug -DEDGEEMO_THREADS_SANITIZE=ON -DEDGEEMO_TESTS=ON
	$(CMAKE) --build build/tsan --target test_engine test_parallel
	$(CTEST) --test-dir build/tsan -R 'engine|parallel'

sanitize: $(TEST)/.stamp
	$(CMAKE) -S cpp -B build/sanitize -G Ninja -DCMAKE_BUILD_TYPE=Debug -DEDGEEMO_SANITIZE=ON -DEDGEEMO_TESTS=ON
	$(CMAKE) --build build/sanitize
	$(CTEST) --test-dir build/sanitize

# --- 64-bit ARM, emulated (.ci/run --arm): needs g++-aarch64-linux-gnu and qemu-user-static ---

ARM := build/arm
CORES := cortex-a72 cortex-a76
TOOLCHAIN := $(CURDIR)/cpp/toolchains/aarch64.cmake

aarch64: $(TEST)/.stamp
	$(CMAKE) -S cpp -B build/aarch64 -G Ninja -DCMAKE_BUILD_TYPE=Release -DEDGEEMO_WERROR=ON -DEDGEEMO_TESTS=ON \
	  -DCMAKE_TOOLCHAIN_FILE=$(TOOLCHAIN) -DCMAKE_CROSSCOMPILING_EMULATOR=qemu-aarch64-static
	$(CMAKE) --build build/aarch64
	for core in $(CORES); do echo "as a $$core"; \
	  QEMU_CPU=$$core QEMU_LD_PREFIX=/usr/aarch64-linux-gnu $(CTEST) --parallel 2 --test-dir build/aarch64 || exit 1; done

$(ARM)/.root: .ci/arm_root pyproject.toml | $(TEST)/.stamp
	PYTHON=$(CURDIR)/$(TEST)/bin/python .ci/arm_root
	@touch $@

aarch64-root: $(ARM)/.root

# a wheel for the Python of the root, which is that of this machine's release; it serves boards of that release, too
$(ARM)/.wheel: $(SOURCES) $(ARM)/.root
	rm -rf $(ARM)/dist
	abi=$$($(BIN)/python -c 'import sys; print("%d%d" % sys.version_info[:2])') && \
	  _PYTHON_HOST_PLATFORM=linux-aarch64 SETUPTOOLS_EXT_SUFFIX=.cpython-$$abi-aarch64-linux-gnu.so \
	  $(BIN)/python $(PIP) wheel --no-deps --wheel-dir $(ARM)/dist . -C cmake.args=-DCMAKE_TOOLCHAIN_FILE=$(TOOLCHAIN) \
	  -C cmake.define.Python_INCLUDE_DIR=$$(echo $(CURDIR)/$(ARM)/root/usr/include/python3.*)
	$(BIN)/python $(PIP) install --root-user-action=ignore --target $(ARM)/site --upgrade --no-deps --only-binary=:all: \
	  --platform linux_aarch64 $(ARM)/dist/edgeemo-*.whl
	@touch $@

aarch64-wheel: $(ARM)/.wheel

aarch64-test: $(ARM)/.wheel
	$(TEST)/bin/python -m pytest -m arm -rP --durations=0 tests/test_arm.py $(PYTEST_ARGS)

# the native fuzz targets need clang; FUZZ_SECONDS of each (600 before a release), then as many of the bundle reader
fuzz: $(TEST)/.stamp
	CXX=clang++ $(CMAKE) -S cpp -B build/fuzz -G Ninja -DCMAKE_BUILD_TYPE=Debug -DEDGEEMO_SANITIZE=ON -DEDGEEMO_FUZZ=ON
	$(CMAKE) --build build/fuzz
	mkdir -p build/fuzz/corpus build/fuzz/corpus-voice build/fuzz/corpus-bundle
	build/fuzz/tests/fuzz_text -max_total_time=$(FUZZ_SECONDS) build/fuzz/corpus tests/cpp/corpus/text
	build/fuzz/tests/fuzz_voice -max_total_time=$(FUZZ_SECONDS) build/fuzz/corpus-voice tests/cpp/corpus/voice
	build/fuzz/tests/fuzz_bundle -max_total_time=$(FUZZ_SECONDS) build/fuzz/corpus-bundle tests/corpus/bundle \
	  tests/cpp/corpus/bundle
	for entry in text voice image; do mkdir -p build/fuzz/corpus-abi-$$entry && build/fuzz/tests/fuzz_abi_$$entry \
	  -max_total_time=$(FUZZ_SECONDS) build/fuzz/corpus-abi-$$entry tests/cpp/corpus/abi_$$entry || exit 1; done
	$(TEST)/bin/python tests/fuzz_bundle.py --seconds $(FUZZ_SECONDS)

# other releases of LiteRT, for the tests of the engine
releases:
	@PYTHON="$(PYTHON)" .ci/releases

# a driver of Vulkan in software, for the tests of the GPU
vulkan:
	@.ci/vulkan

wheel-test: prepare
	rm -rf $(WHEEL) build/dist
	$(PYTHON) -m venv $(WHEEL)
	$(WHEEL)/bin/python $(PIP) install build
	$(WHEEL)/bin/python -m build --outdir build/dist . > /dev/null  # a wheel of the sdist
	$(WHEEL)/bin/python $(PIP) install build/dist/edgeemo-*.whl
	cd / && $(CURDIR)/$(WHEEL)/bin/python $(CURDIR)/tests/try_wheel.py $(CURDIR)

# each benchmark once, for its answer: peers that the test environment lacks are skipped by name
bench-answers: $(TEST)/.stamp
	$(TEST)/bin/python -m pytest -q --benchmark-only --benchmark-min-rounds=1 --benchmark-max-time=0.001 --benchmark-quiet \
	  $(filter-out %/bench_bench.py %/bench_engine.py %/bench_scaling.py,$(wildcard benchmarks/bench_*.py))

# --- the documentation: built strictly, so that a broken link or name fails ---

docs: $(TEST)/.stamp
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "the site is in build/site"

# --- the peers: to compare with and never to ship ---

# Silero runs without its PyTorch; edgeemo is editable, so that it is this folder that is measured
$(PEERS)/.stamp: $(NATIVE) benchmarks/peers/requirements.txt | prepare
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python $(PIP) install --editable ".[voice,face,eval]" -r benchmarks/peers/requirements.txt
	$(PEERS)/bin/python $(PIP) install --no-deps "silero-vad>=6,<7"
	@touch $@

peers: $(PEERS)/.stamp
	@echo "make peers-train DATA=... [FOLDS=...], then make table DATA=... [ONLY=text]"
	@echo "$(PEERS)/bin/python benchmarks/peer_egemaps.py --data data/voice [--folds runs/crossval/predictions.csv]"
	@echo "$(PEERS)/bin/python benchmarks/peer_silero.py --data data/voice [--bundle voice]"

# train the peers once (FOLDS: what edgeemo crossval voice said), then measure: ONLY="text voice" for some parts
DATA ?= data
TABLE_ARGS ?= $(ONLY:%=--only %)
peers-train: $(PEERS)/.stamp
	$(PEERS)/bin/python -m benchmarks.peers.train --data "$(DATA)" $(FOLDS:%=--folds %)

bench: $(PEERS)/.stamp
	@test -x $(LEGACY)/bin/python || $(MAKE) --no-print-directory legacy
	EDGEEMO_DATA="$(DATA)" $(PEERS)/bin/python -m pytest benchmarks/bench_*.py --benchmark-columns=min,median,ops,rounds

table: $(PEERS)/.stamp
	@test -x $(LEGACY)/bin/python || $(MAKE) --no-print-directory legacy
	$(PEERS)/bin/python -m benchmarks.table --data "$(DATA)" --legacy $(LEGACY)/bin/python $(TABLE_ARGS)

# --- instructions of our own code, counted by valgrind beside benchmarks/results/instructions.json ---

instructions instructions-baseline: $(TEST)/.stamp
	@.ci/prepare valgrind
	$(CMAKE) -S cpp -B build/werror -G Ninja -DCMAKE_BUILD_TYPE=Release -DEDGEEMO_WERROR=ON -DEDGEEMO_TESTS=ON
	$(CMAKE) --build build/werror --target count_instructions
	$(TEST)/bin/python -m benchmarks.instructions build/werror/tests/count_instructions \
	  $(if $(filter %-baseline,$@),--update)

clean:
	rm -rf build dist $(DEMO) $(TEST) $(LEGACY) $(WHEEL) $(PEERS) .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks

# `make demo` and `make test` need no other command first. `make help` lists the other targets.
# PYTHON chooses the interpreter (3.10 to 3.14): `make test PYTHON=python3.12`.

PYTHON ?= python3
PYTEST_ARGS ?=
# processes that share the tests; one file of tests goes to one process
PYTEST_JOBS ?= 2
FUZZ_SECONDS ?= 60
# tflite-runtime needs Python 3.10 or 3.11; without one, pytest skips the test and names the reason
LEGACY_PYTHON ?= $(shell for p in $(PYTHON) python3.11 python3.10; do \
  $$p -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] < (3, 12))' 2>/dev/null && echo $$p && break; done)

MACHINE := $(shell uname -m)
PYTHON_NAME := $(notdir $(PYTHON))
ABI = $(shell $(PYTHON) -c 'import sys; print("cp%d%d" % sys.version_info[:2])')
NATIVE := pyproject.toml $(shell find cpp -type f)
SOURCES := $(NATIVE) README.md LICENSE $(shell find edgeemo converters -type f -not -path '*/__pycache__/*')
PIP := -m pip --disable-pip-version-check --quiet
# the demonstration runs without a network where the system allows that, to show that edgeemo needs none
OFFLINE := $(shell unshare --map-root-user --net true 2>/dev/null && echo unshare --map-root-user --net)

DEMO := .venv
TEST := .venv-test
LEGACY := .venv-legacy
BUILD := .venv-build
WHEEL := .venv-wheel
PEERS := .venv-peers
BIN := $(CURDIR)/$(TEST)/bin
CMAKE := PATH="$(BIN):$$PATH" $(BIN)/cmake
CTEST := $(BIN)/ctest --output-on-failure --parallel 2

export PYTHONDONTWRITEBYTECODE = 1
export TF_CPP_MIN_LOG_LEVEL ?= 3
export CUDA_VISIBLE_DEVICES ?= -1

.DELETE_ON_ERROR:
.PHONY: help demo test test-env peers peers-train table instructions instructions-baseline legacy prepare lint types stubs format \
  format-check docs mutants cpp-test sanitize tsan aarch64 aarch64-root aarch64-wheel aarch64-test fuzz wheel wheel-test bench bench-answers \
  releases vulkan clean

help:
	@echo "make demo                    install into $(DEMO) and read a few sentences with the shipped model, offline"
	@echo "make test                    install into $(TEST) and $(LEGACY) and run all tests"
	@echo "make wheel                   build wheels for this machine and for 64-bit ARM boards into dist/"
	@echo "make clean                   remove what the other targets made"
	@echo
	@echo "checks, each a part of .ci/run:"
	@echo "make lint format-check       ruff and clang-format; make format applies them"
	@echo "make types                   mypy, and stubtest on the C++ module; make stubs writes edgeemo/_core.pyi"
	@echo "make cpp-test sanitize tsan  C++ tests: warnings are errors, with sanitizers, with the thread sanitizer"
	@echo "make docs                    build the documentation into build/site"
	@echo "make fuzz                    fuzz the C++ readers with clang for FUZZ_SECONDS each"
	@echo "make wheel-test              install the wheel into a fresh environment and try it"
	@echo "make bench-answers           run each benchmark once, for its answer"
	@echo "make docs                    build the documentation into build/site"
	@echo "make instructions            count the instructions of our code and compare with the baseline;"
	@echo "                             make instructions-baseline writes a new baseline"
	@echo "make mutants                 plant small faults one at a time and count those that the tests notice"
	@echo
	@echo "measurements beside other systems, DATA=... names the data:"
	@echo "make peers peers-train       install the other systems; train those that need it"
	@echo "make bench table             measure speed; measure quality and speed and write the table"
	@echo
	@echo "64-bit ARM, emulated (.ci/run --arm):"
	@echo "make aarch64                 cross-compile the C++ tests and run them"
	@echo "make aarch64-test            run the Python tests of marker arm on the wheel"

prepare:
	@PYTHON="$(PYTHON)" .ci/prepare

# --- the demonstration ---

$(DEMO)/.stamp: $(SOURCES) | prepare
	@$(PYTHON) -m venv $(DEMO)
	@.ci/install $(DEMO)/bin/python .
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
	.ci/install $(TEST)/bin/python --editable ".[dev,docs,train,eval,voice]"
	@touch $@

test-env: $(TEST)/.stamp

$(LEGACY)/.stamp: $(SOURCES) | prepare
	$(LEGACY_PYTHON) -m venv $(LEGACY)
	.ci/install $(LEGACY)/bin/python ".[legacy]"
	@touch $@

ifeq ($(LEGACY_PYTHON),)
legacy:
	@echo "this machine has no Python 3.10 or 3.11: pytest will skip the test of tflite-runtime"
else
legacy: $(LEGACY)/.stamp
endif

test: $(TEST)/.stamp legacy
	FUZZ_SECONDS=$(if $(findstring file,$(origin FUZZ_SECONDS)),5,$(FUZZ_SECONDS)) $(TEST)/bin/python -m pytest -n $(PYTEST_JOBS) --dist loadfile $(PYTEST_ARGS)

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

# mypy reads the package as pip installs it, with the converters inside. The stub of the C++ module must be the one
# that `make stubs` writes, and must agree with the module.
types: $(TEST)/.stamp
	@rm -rf build/types && mkdir -p build/types
	@cp -rs $(CURDIR)/edgeemo build/types/edgeemo && cp -rs $(CURDIR)/converters build/types/edgeemo/converters
	$(BIN)/mypy build/types/edgeemo tests benchmarks docs/generate.py cpp/tools/make_stubs.py
	$(BIN)/python cpp/tools/make_stubs.py --check
	$(BIN)/python -m mypy.stubtest edgeemo._core --concise --allowlist cpp/bindings/stubtest-allowlist.txt

stubs: $(TEST)/.stamp
	$(BIN)/python cpp/tools/make_stubs.py

cpp-test: $(TEST)/.stamp
	$(CMAKE) -S cpp -B build/werror -G Ninja -DCMAKE_BUILD_TYPE=Release -DEDGEEMO_WERROR=ON -DEDGEEMO_TESTS=ON
	$(CMAKE) --build build/werror
	$(CTEST) --test-dir build/werror

# parallel streams under the thread sanitizer; a small library replaces LiteRT
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
	  QEMU_CPU=$$core QEMU_LD_PREFIX=/usr/aarch64-linux-gnu $(CTEST) --test-dir build/aarch64 || exit 1; done

$(ARM)/.root: .ci/arm_root pyproject.toml | $(TEST)/.stamp
	PYTHON=$(CURDIR)/$(TEST)/bin/python .ci/arm_root
	@touch $@

aarch64-root: $(ARM)/.root

# what the emulated board imports
$(ARM)/.wheel: dist/.$(PYTHON_NAME)-aarch64 $(ARM)/.root
	$(BIN)/python $(PIP) install --root-user-action=ignore --target $(ARM)/site --upgrade --no-deps --only-binary=:all: \
	  --platform linux_aarch64 dist/edgeemo-*-$(ABI)-linux_aarch64.whl
	@touch $@

aarch64-wheel: $(ARM)/.wheel

aarch64-test: $(ARM)/.wheel
	$(TEST)/bin/python -m pytest -m arm -rP --durations=0 tests/test_arm.py $(PYTEST_ARGS)

# the C++ targets need clang; each runs for FUZZ_SECONDS (600 before a release), then the Python target of the bundle reader
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

# other releases of LiteRT for the tests of the engine
releases:
	@PYTHON="$(PYTHON)" .ci/releases

# a driver of Vulkan in software, for the tests of the GPU
vulkan:
	@.ci/vulkan

# --- the wheels that boards install, so that a board needs no compiler ---

wheel: dist/.$(PYTHON_NAME)-$(MACHINE) dist/.$(PYTHON_NAME)-aarch64
	@ls -1 dist/edgeemo-*-$(ABI)-*.whl

$(BUILD)/.stamp: | prepare
	$(PYTHON) -m venv $(BUILD)
	$(BUILD)/bin/python $(PIP) install build
	@touch $@

# the source archive first, then the wheel of that archive
dist/.$(PYTHON_NAME)-$(MACHINE): $(SOURCES) | $(BUILD)/.stamp
	rm -f dist/edgeemo-*-$(ABI)-linux_$(MACHINE).whl
	.ci/progress $(BUILD)/bin/python -m build --outdir dist .
	@touch $@

# the cross compiler reads the headers of Debian's Python for arm64, whose release must be that of PYTHON
ifneq ($(MACHINE),aarch64)
dist/.$(PYTHON_NAME)-aarch64: $(SOURCES) .ci/arm_root | $(BUILD)/.stamp
	.ci/prepare aarch64-linux-gnu-g++:g++-aarch64-linux-gnu
	PYTHON=$(CURDIR)/$(BUILD)/bin/python .ci/arm_root python
	rm -f dist/edgeemo-*-$(ABI)-linux_aarch64.whl
	_PYTHON_HOST_PLATFORM=linux-aarch64 SETUPTOOLS_EXT_SUFFIX=.$(ABI:cp%=cpython-%)-aarch64-linux-gnu.so \
	  .ci/progress $(BUILD)/bin/python -m pip -v wheel --no-deps --wheel-dir dist . \
	  -C cmake.args=-DCMAKE_TOOLCHAIN_FILE=$(TOOLCHAIN) \
	  -C cmake.define.Python_INCLUDE_DIR=$$(echo $(CURDIR)/$(ARM)/root/usr/include/python3.*)
	@touch $@
endif

wheel-test: dist/.$(PYTHON_NAME)-$(MACHINE)
	rm -rf $(WHEEL)
	$(PYTHON) -m venv $(WHEEL)
	$(WHEEL)/bin/python $(PIP) install dist/edgeemo-*-$(ABI)-linux_$(MACHINE).whl
	cd / && $(CURDIR)/$(WHEEL)/bin/python $(CURDIR)/tests/try_wheel.py $(CURDIR)

# each benchmark once, for its answer; pytest skips the systems that the test environment lacks, and names them
bench-answers: $(TEST)/.stamp
	$(TEST)/bin/python -m pytest -q --benchmark-only --benchmark-min-rounds=1 --benchmark-max-time=0.001 --benchmark-quiet \
	  $(filter-out %/bench_bench.py %/bench_engine.py %/bench_scaling.py,$(wildcard benchmarks/bench_*.py))

# --- the documentation: built strictly, so that a broken link or name fails ---

docs: $(TEST)/.stamp
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "the site is in build/site"

# --- the peers: other systems to compare with, never part of edgeemo ---

# Silero runs without PyTorch here; edgeemo is editable, so the benchmarks measure the sources of this folder
$(PEERS)/.stamp: $(NATIVE) benchmarks/peers/requirements.txt | prepare
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python $(PIP) install --editable ".[voice,face,eval]" -r benchmarks/peers/requirements.txt
	$(PEERS)/bin/python $(PIP) install --no-deps "silero-vad>=6,<7"
	@touch $@

peers: $(PEERS)/.stamp
	@echo "make peers-train DATA=... [FOLDS=...], then make table DATA=... [ONLY=text]"
	@echo "$(PEERS)/bin/python benchmarks/peer_egemaps.py --data data/voice [--folds runs/crossval/predictions.csv]"
	@echo "$(PEERS)/bin/python benchmarks/peer_silero.py --data data/voice [--bundle voice]"

# train the peers once, then measure. FOLDS: the predictions of `edgeemo crossval voice`. ONLY="text voice": some parts
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

# --- valgrind counts the instructions of our code; the baseline is benchmarks/results/instructions.json ---

instructions instructions-baseline: $(TEST)/.stamp
	@.ci/prepare valgrind
	$(CMAKE) -S cpp -B build/werror -G Ninja -DCMAKE_BUILD_TYPE=Release -DEDGEEMO_WERROR=ON -DEDGEEMO_TESTS=ON
	$(CMAKE) --build build/werror --target count_instructions
	$(TEST)/bin/python -m benchmarks.instructions build/werror/tests/count_instructions \
	  $(if $(filter %-baseline,$@),--update)

clean:
	rm -rf build dist $(DEMO) $(TEST) $(LEGACY) $(BUILD) $(WHEEL) $(PEERS) .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks

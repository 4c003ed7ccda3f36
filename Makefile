# What a person does with this repository. Needs cargo, and apt (or PostgreSQL 13-18 installed).
#
#   make demo     the whole story on a throwaway server, in under two minutes
#   make test     every suite, on the PostgreSQL that is installed (15 where there is a choice)
#   make samples  the same journeys over real databases, judged by independent tools
#   make soak     hours: ten million hostile archives, long stress, and the journeys on PostgreSQL 13 to 18
#   make bench    costs beside pg_dump, pg_restore, restic and pgBackRest, into docs/benchmarks.md

.PHONY: build demo test lint bench soak samples postgres stores browser nextest native under-test python-tools

export PATH := $(CURDIR)/target/tools/bin:$(PATH)
TARGET := $(or $(CARGO_TARGET_DIR),$(CURDIR)/target)

build: native
	cargo build --release --locked -p respaldo

demo: postgres native
	cargo build --locked -p respaldo
	$(TARGET)/debug/respaldo demo

# The binary under test has the feature `faults`: steps at which tests break a run. It is set apart,
# because whatever else is built puts its own binary in the usual place.
UNDER_TEST := $(TARGET)/under-test/respaldo
under-test: native
	cargo build --locked -p respaldo --features faults
	install -D $(TARGET)/debug/respaldo $(UNDER_TEST)

test: export RESPALDO_BIN = $(UNDER_TEST)
test: postgres stores browser nextest native python-tools under-test
	cargo nextest run --locked --workspace
	RESPALDO_DUMPER__USE=pg-dump cargo nextest run --locked --workspace -E 'test(every_restore_point_of_an_owner_comes_back)'
	cargo test --locked --workspace --doc

lint: nextest native
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	cargo check --locked -p respaldo --no-default-features
	cargo nextest run --locked --workspace -E 'binary(tidy)'

# Another folder holding pagila/, chinook/ and the tools: RESPALDO_SAMPLES=DIR make samples.
samples: export RESPALDO_BIN = $(UNDER_TEST)
samples: export RESPALDO_SAMPLES := $(or $(RESPALDO_SAMPLES),$(abspath ../shared))
samples: postgres nextest under-test
	cargo nextest run --locked --workspace --profile samples

SOAK_VERSIONS ?= 13 14 15 16 17 18
soak: export RESPALDO_BIN = $(UNDER_TEST)
soak: postgres nextest under-test
	cargo nextest run --locked --workspace --profile soak -E 'package(respaldo-archive)'
	scripts/versions.sh $(SOAK_VERSIONS)
	set -e; for version in $(SOAK_VERSIONS); do \
		echo "== PostgreSQL $$version"; \
		PG_TEST_ROOT=$(CURDIR)/target/pg PG_TEST_VERSION=$$version \
			cargo nextest run --locked --workspace --profile soak -E 'package(respaldo-tests)'; \
	done
	RESPALDO_DUMPER__USE=pg-dump cargo nextest run --locked --workspace \
		-E 'binary(journey) | binary(hazards) | binary(soundness) | binary(restores) | binary(faults)'

# Half an hour on two processors that have nothing else to do. Trials, whose report goes to target/bench:
# RESPALDO_BENCH_MB=100 RESPALDO_BENCH_ROUNDS=1 RESPALDO_BENCH_ROOMS=mixed,one,pgbench,upload,viewers,many-1000,many-10000
bench: export RESPALDO_BIN = $(TARGET)/release/respaldo
bench: postgres stores build
	scripts/bench-tools.sh
	cargo run --release --locked -p respaldo-bench

postgres:
	@scripts/postgres.sh

stores:
	@scripts/stores.sh

browser:
	@scripts/browser.sh

nextest:
	@scripts/nextest.sh

native:
	@scripts/native.sh

python-tools:
	@scripts/python-tools.sh

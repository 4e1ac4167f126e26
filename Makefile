# Everything a newcomer types. CI types `.ci/run`, which is made of the same targets.

SWIFT_BUILD = swift build --cache-path .build/cache --explicit-target-dependency-import-check error -Xswiftc -warnings-as-errors
# Programs that are handed out carry Swift's libraries with them: faster to start and to run. (lld, for it does not warn about them.)
RELEASE = -c release $(if $(filter Linux,$(shell uname)),--static-swift-stdlib -Xswiftc -use-ld=lld)
DEMO_FLAGS ?=
BENCH_FLAGS ?=
INTEROP_FLAGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo build test unit interop bench format lint clean

help:
	@echo "make demo     build, start a gateway over a few real MCP servers and call through it (DEMO_FLAGS=--once ends by itself)"
	@echo "make build    release build: .build/release/switchboard"
	@echo "make test     debug build with warnings as errors, unit tests, interoperability tests (INTEROP_FLAGS='-m quick' for a part)"
	@echo "make bench    direct, through nginx and through Switchboard, side by side (BENCH_FLAGS)"
	@echo "make format   format the sources      make lint     say what is not formatted"
	@echo "make clean    remove everything that was built"

demo: build
	@SWITCHBOARD_DEMO_TIME_SERVER="$$(scripts/demo-servers)" XDG_STATE_HOME="$(CURDIR)/.build/state" \
		.build/release/switchboard demo $(DEMO_FLAGS)

build:
	@scripts/setup build
	$(SWIFT_BUILD) $(RELEASE) --product switchboard
	$(SWIFT_BUILD) $(RELEASE) --product sample-server

test: unit interop

unit:
	@scripts/setup build
	$(SWIFT_BUILD) --build-tests
	swift test --cache-path .build/cache --skip-build

interop:
	@scripts/interop $(INTEROP_FLAGS)

bench:
	@scripts/setup build bench
	$(SWIFT_BUILD) $(RELEASE)
	@scripts/bench $(BENCH_FLAGS)

format:
	swift format -i -r Package.swift Sources Tests

lint:
	@scripts/setup build
	swift format lint --strict -r Package.swift Sources Tests

clean:
	rm -rf .build .build-demo .build-venv .build-venv-legacy .build-pip

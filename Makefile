# make        lists the targets
# make run    is the shortest way from a clone to a report

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

GO      ?= go
PKG     ?= ./...
RUN     ?=
FUZZTIME ?= 60s
BENCHTIME ?= 1s
BENCH   ?=
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo development)
BIN     := bin/gauntlet
LINT    := bin/golangci-lint
PEERS   := bin/bench-peers
COLLECTOR := bin/collector
LOKI    := bin/loki

.PHONY: help build run test race h2spec prove fuzz bench peers collector loki capacity ceiling lint fmt docs cover clean FORCE

help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: $(BIN) ## Build bin/gauntlet, static, so that it also runs in an empty container

# Go knows best whether anything changed.
$(BIN): FORCE
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w -X main.stamped=$(VERSION)" -o $@ ./cmd/gauntlet

FORCE:

run: build ## Run the smoke set against the reference proxy; the report goes to runs/latest (RUN="…" replaces the arguments)
	$(BIN) run $(RUN)

test: ## Run every test (PKG=./scenarios/... for some)
	$(GO) test -shuffle=on $(PKG)

race: ## Run every test under the race detector
	GORACE=atexit_sleep_ms=10 $(GO) test -race -shuffle=on $(PKG) # not a second at the end of each process

h2spec: build ## Hold the reference proxy to RFC 9113 with h2spec, in the clear and over TLS
	cd tools/h2spec && $(GO) run . -gauntlet $(CURDIR)/$(BIN)

prove: build ## Show that every scenario catches every mutant it names and accuses nobody else, wholly
	$(BIN) dev prove
	$(BIN) dev prove --saboteur 1e-4

fuzz: ## Fuzz every target for FUZZTIME each, one after the other
	@for dir in $$($(GO) list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.Dir}}{{end}}' $(PKG)); do \
	  for target in $$(grep -hoE '^func Fuzz[A-Za-z0-9_]+' "$$dir"/*_test.go | sed 's/^func //' | sort -u || true); do \
	    echo "== $${dir#$(CURDIR)/} $$target"; \
	    (cd "$$dir" && $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) .); \
	  done; \
	done

bench: build $(PEERS) ## Run the benchmarks, and then whole proxies side by side (BENCH="…" gives arguments)
	$(GO) test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) $(PKG)
	$(BIN) dev bench --peers $(PEERS) $(BENCH)

peers: build $(PEERS) ## Build the proxies on oxy and fasthttp, for --target oxy, fasthttp

# Other Go proxies to compare with, from a module of their own.
$(PEERS): $(wildcard tools/bench/*.go) tools/bench/go.mod tools/bench/go.sum
	cd tools/bench && CGO_ENABLED=0 $(GO) build -trimpath -o $(CURDIR)/$(PEERS) .

collector: $(COLLECTOR) ## Build an OpenTelemetry Collector for gauntlet dev dashboards --collector

$(COLLECTOR): tools/collector/main.go tools/collector/go.mod tools/collector/go.sum
	cd tools/collector && CGO_ENABLED=0 $(GO) build -trimpath -o $(CURDIR)/$(COLLECTOR) .

loki: $(LOKI) ## Build Grafana Loki for gauntlet dev dashboards --loki; takes minutes

$(LOKI): tools/loki/go.mod tools/loki/go.sum
	cd tools/loki && CGO_ENABLED=0 $(GO) build -trimpath -o $(CURDIR)/$(LOKI) github.com/grafana/loki/v3/cmd/loki

capacity: build ## Write the reference proxy's own capacity report to docs/capacity.md; takes minutes, on a machine that does nothing else
	rm -rf bin/capacity
	$(BIN) capacity --target reference --out bin/capacity $(RUN)
	cp bin/capacity/capacity.md docs/capacity.md

ceiling: build ## Let five searches find a ceiling that is known, 400 a second, within 3 % over real sockets; takes a quarter of an hour, on a machine that does nothing else
	rm -rf bin/ceiling
	for n in 1 2 3 4 5; do \
	  $(BIN) capacity --target reference --given upstream.pool.max_connections=40 --takes 100ms --min-rate 70/s --max-rate 2000/s --seed $$n --out bin/ceiling/$$n $(RUN); \
	done
	$(BIN) dev ceiling --known 400/s --gave "the connection pool" bin/ceiling/*/capacity.json

lint: $(LINT) ## Check vet, formatting and the rules of .golangci.yml
	$(GO) vet ./...
	$(LINT) run ./...

# The linters are built from source, at the version tools/lint/go.mod pins.
$(LINT): tools/lint/go.mod tools/lint/go.sum
	cd tools/lint && $(GO) build -o $(CURDIR)/$(LINT) github.com/golangci/golangci-lint/v2/cmd/golangci-lint

fmt: $(LINT) ## Format the code
	$(LINT) fmt ./...

docs: ## Write generated documents anew; CI fails when that changes anything
	$(GO) generate ./...

cover: ## Show how much of each package its tests reach; the profile goes to bin/cover.html
	@mkdir -p bin
	$(GO) test -coverprofile=bin/cover.out -coverpkg=./... $(PKG)
	$(GO) tool cover -html=bin/cover.out -o bin/cover.html
	$(GO) tool cover -func=bin/cover.out | tail -1

clean: ## Remove what was built and the reports of earlier runs
	rm -rf bin runs

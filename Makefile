# warren: make, make demo, make test. `make help` lists the rest.
VARIANT  ?= release
CC       := $(if $(filter asan,$(VARIANT)),clang,gcc)
PREFIX   ?= /usr/local
DESTDIR  ?=
DATADIR  := $(PREFIX)/share/warren
T        ?=
SECONDS  ?= 30
# make V=1 shows the commands
Q         = $(if $(V),,@)

TOOLS    := $(patsubst bin/%.c,%,$(wildcard bin/*.c))
BUILD    := build/$(VARIANT)
PACKAGES := librabbitmq jansson yaml-0.1 libpcre2-8 libmicrohttpd libcurl openssl sqlite3

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wwrite-strings -Wformat=2 -Wundef -Wvla -Wpointer-arith
HARDEN   := -fstack-protector-strong -fstack-clash-protection -fPIE
CPPFLAGS := -Ilib -D_GNU_SOURCE
CFLAGS    = -std=c11 -g $(WARNINGS) $(HARDEN) $(CFLAGS_$(VARIANT)) $(EXTRA)
LDFLAGS   = -pie -Wl,--as-needed,-z,relro,-z,now $(LDFLAGS_$(VARIANT))
LDLIBS    = $(shell pkg-config --libs $(PACKAGES)) -ljq -lm

# -O3 gives the hot path a twentieth more than -O2
CFLAGS_release := -O3 -D_FORTIFY_SOURCE=2
CFLAGS_debug   := -O0
# clang's, so that its warnings are seen, too, and the fuzzers need no build of their own
CFLAGS_asan    := -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
LDFLAGS_asan   := -fsanitize=address,undefined
CFLAGS_tsan    := -O1 -fsanitize=thread
LDFLAGS_tsan   := -fsanitize=thread
CFLAGS_cov     := -O0 --coverage
LDFLAGS_cov    := --coverage

SOURCES  := $(wildcard lib/*/*.c)
OBJECTS  := $(SOURCES:%.c=$(BUILD)/%.o)
LIBRARY  := $(BUILD)/libwarren.a
BINARIES := $(TOOLS:%=$(BUILD)/bin/%)
UNITS    := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
PEERS    := $(patsubst tests/bench/plain_%.c,$(BUILD)/tests/bench/plain_%,$(wildcard tests/bench/plain_*.c))
NULL     := $(BUILD)/tests/bench/null_broker
STORING  := $(BUILD)/tests/bench/store_speed
PRELOADS := $(BUILD)/tests/support/count_calls.so $(BUILD)/tests/support/kill_call.so
REPORTER := $(BUILD)/tests/support/report_of
AGREE    := $(BUILD)/tests/broker/routes_agree
READER   := $(BUILD)/tests/support/document_of
GATHERER := $(BUILD)/tests/support/collector
FAULTS   := $(addprefix $(BUILD)/tests/faults/,proxy hostile ledger measure)
FUZZERS  := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FORMATTED = $(wildcard bin/*.c lib/*/*.[ch] tests/*/*.[ch])

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all deps binaries test unit instruments fuzzers check lint format format-check fuzz coverage bench bench-peers bench-logic \
	demo image-check man install uninstall clean help

all: $(TOOLS:%=bin/%) ## build the tools into bin/

binaries: $(BINARIES)

help: ## show these targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

# ---- building ----

bin/%: $(BUILD)/bin/%
	@cp -f $< $@

$(BUILD)/bin/%: $(BUILD)/bin/%.o $(LIBRARY)
	@echo "  LD   $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(LIBRARY): $(OBJECTS)
	@echo "  AR   $@"
	@rm -f $@
	$(Q)ar rcs $@ $^

$(BUILD)/%.o: %.c | build/.packages
	@mkdir -p $(@D)
	@echo "  CC   $<"
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(LIBRARY)
	@echo "  LD   $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS) $(shell pkg-config --libs check)

$(BUILD)/tests/fuzz/%: $(BUILD)/tests/fuzz/%.o $(LIBRARY)
	@echo "  LD   $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LDLIBS)

$(BUILD)/tests/bench/plain_%: $(BUILD)/tests/bench/plain_%.o $(BUILD)/tests/bench/plain.o
	@echo "  LD   $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(shell pkg-config --libs librabbitmq) $(if $(filter %_jq,$@),-ljq)

$(NULL): $(NULL).o
	@echo "  LD   $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

$(PRELOADS): $(BUILD)/%.so: %.c | build/.packages
	@mkdir -p $(@D)
	@echo "  LD   $@"
	$(Q)$(CC) $(CPPFLAGS) -std=c11 $(WARNINGS) -O2 -fPIC -shared -o $@ $<

$(REPORTER) $(READER) $(GATHERER) $(AGREE) $(STORING) $(FAULTS): %: %.o $(LIBRARY)
	@echo "  LD   $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(LIBRARY) $(LDLIBS)

$(AGREE): $(BUILD)/tests/broker/random_topology.o
$(BUILD)/tests/faults/proxy: $(BUILD)/tests/faults/links.o
$(BUILD)/tests/faults/hostile: $(patsubst %,$(BUILD)/tests/faults/%.o,deeds_session deeds_content mutate peer)

# what is embedded into objects
$(BUILD)/lib/app/settings.o: settings/warren.schema.json
$(BUILD)/lib/bench/report.o: web/report.html
$(BUILD)/lib/schema/schema_meta.o: $(wildcard lib/schema/metaschema/*/*.json)

-include $(OBJECTS:.o=.d) $(BINARIES:=.d) $(UNITS:%=$(BUILD)/tests/unit/%.d) \
	$(PEERS:=.d) $(BUILD)/tests/bench/plain.d $(NULL).d $(STORING).d $(REPORTER).d $(READER).d $(GATHERER).d $(patsubst %.c,$(BUILD)/%.d,$(wildcard tests/broker/*.c tests/faults/*.c))

# ---- setting up ----

deps: ## install the Debian packages that are missing
	@./tests/support/deps.sh

# once per checkout, so that a plain `make` on a bare machine works
build/.packages: tests/support/deps.sh
	@./tests/support/deps.sh
	@mkdir -p $(@D) && touch $@

# ---- testing ----

test: ## build and run every test (make test T=pace: only what has this in its name)
	@./tests/support/run.sh "$(VARIANT)" "$(T)"

unit: $(UNITS:%=$(BUILD)/tests/unit/%) ## build the unit tests

instruments: $(NULL) $(PRELOADS) $(REPORTER) $(READER) $(GATHERER) $(AGREE) $(FAULTS)

fuzzers: $(FUZZERS:%=$(BUILD)/tests/fuzz/%)

check: ## what CI checks beside the tests: format, order of includes, names, static analysis, gcc and clang
	@./tests/support/check.sh

lint: ## static analysis alone: cppcheck and clang-tidy, shellcheck
	@./tests/support/lint.sh

format: ## lay out every C file
	@clang-format -i $(FORMATTED)

format-check:
	@clang-format --dry-run -Werror $(FORMATTED)

fuzz: ## run each fuzzer for SECONDS=30
	@./tests/support/deps.sh lint
	@$(MAKE) --no-print-directory VARIANT=asan fuzzers
	@./tests/support/fuzz.sh $(SECONDS) $(FUZZERS)

coverage: ## run every test and say which lines of lib/ none of them executes
	@./tests/support/coverage.sh "$(T)"

bench: all $(PEERS) $(NULL) ## measure the producer and consumer against plain rabbitmq-c
	@PEERS=$(BUILD)/tests/bench ./tests/bench/run.sh

bench-peers: all $(PEERS) ## measure warren beside rabbitmq-c, Go, Node and Python on a private RabbitMQ
	@PEERS=$(BUILD)/tests/bench ./tests/bench/side_by_side.sh

bench-logic: all $(PEERS) ## measure relay, commands and rpc beside libjq and plain rabbitmq-c
	@./tests/bench/relay.sh
	@./tests/bench/exec.sh
	@PEERS=$(BUILD)/tests/bench ./tests/bench/rpc.sh

demo: ## watch a producer and a consumer talk through a real RabbitMQ
	@./tests/support/deps.sh
	@$(MAKE) --no-print-directory all
	@./tests/support/demo.sh

image-check: binaries ## replay compose/Dockerfile without an engine, and run the tools from its root (as root)
	@BIN=$(BUILD)/bin ./tests/support/image.sh

# ---- installing ----

man: all ## write the man pages into build/man
	@mkdir -p build/man build/completion
	@for t in $(TOOLS); do bin/$$t --man > build/man/warren-$$t.1 && \
	  bin/$$t --completion > build/completion/warren-$$t || exit 1; done

install: all man ## install as warren-<tool> below PREFIX
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1 \
	  $(DESTDIR)$(PREFIX)/share/bash-completion/completions $(DESTDIR)$(DATADIR)/settings/chat \
	  $(DESTDIR)$(DATADIR)/settings/contracts
	for t in $(TOOLS); do install -m 755 bin/$$t $(DESTDIR)$(PREFIX)/bin/warren-$$t; done
	install -m 644 build/man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 build/completion/* $(DESTDIR)$(PREFIX)/share/bash-completion/completions
	install -m 644 settings/*.yaml settings/warren.schema.json $(DESTDIR)$(DATADIR)/settings
	install -m 644 settings/chat/*.json $(DESTDIR)$(DATADIR)/settings/chat
	install -m 644 settings/contracts/*.json $(DESTDIR)$(DATADIR)/settings/contracts

uninstall: ## remove what install put there
	for t in $(TOOLS); do rm -f $(DESTDIR)$(PREFIX)/bin/warren-$$t \
	  $(DESTDIR)$(PREFIX)/share/man/man1/warren-$$t.1 \
	  $(DESTDIR)$(PREFIX)/share/bash-completion/completions/warren-$$t; done
	rm -rf $(DESTDIR)$(DATADIR)

clean: ## remove everything that was built
	rm -rf build $(TOOLS:%=bin/%)

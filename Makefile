# backup-probes: one Makefile, no recursion; everything that is made lands in build/.
# `make help` lists the targets.

VERSION  := 0.1.0
CC       ?= cc
B        ?= build
PREFIX   ?= /usr/local
DESTDIR  ?=

WARN     := -std=c11 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion \
            -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes -Wmissing-declarations \
            -Wold-style-definition -Wcast-qual -Wpointer-arith -Wwrite-strings -Wvla -Wundef \
            -Wnull-dereference -Wswitch-enum -Wfloat-equal -Winit-self -Walloca -Wredundant-decls
WARN_GCC := -Wformat-signedness -Wformat-overflow=2 -Wformat-truncation=2 -Wcast-align=strict \
            -Wduplicated-cond -Wduplicated-branches -Wlogical-op
HARDEN   ?= -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection -fcf-protection \
            $(HARDEN_GCC)
HARDEN_LD ?= -Wl,-z,relro,-z,now,-z,noexecstack,-z,defs
ifeq ($(findstring clang,$(shell $(CC) --version)),)
WARN     += $(WARN_GCC)
HARDEN_GCC := -ftrivial-auto-var-init=zero
else
# Clang 19 counts enum constants, which C has as int, among the conversions to floating point.
WARN     += -Wno-enum-float-conversion
endif
ifeq ($(WERROR),1)
WARN     += -Werror
endif

CFLAGS   ?= -O2 -g
CPPFLAGS += -I. -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DVERSION='"$(VERSION)"' \
            -include lib/base/banned.h
PG_INC   := -isystem $(shell pg_config --includedir 2>/dev/null || echo /usr/include/postgresql)
ALL_CFLAGS = $(WARN) $(HARDEN) -fPIE -fno-common $(CPPFLAGS) $(PG_INC) $(CFLAGS) -MMD -MP
ALL_LDFLAGS = $(CFLAGS) -pie $(HARDEN_LD) -Wl,--as-needed $(LDFLAGS)
# --as-needed: each tool ends up linked with just the libraries that it calls.
LIBS     := -lpq -lcurl -ljansson -lexpat -lssl -lcrypto -lxxhash -lzstd -llzma -lbz2 -lz -lpthread -lm

# gzip is unpacked three times as fast with Intel's ISA-L (libisal-dev), where it is; make ISAL=no
# does without.
ISAL     ?= $(shell echo '\#include <isa-l.h>' | $(CC) -E -x c - >/dev/null 2>&1 && echo yes)
ifeq ($(ISAL),yes)
CPPFLAGS += -DHAVE_ISAL
LIBS     += -lisal
endif
# Backups packed by lz4 need liblz4-dev; make LZ4=no does without.
LZ4      ?= $(shell echo '\#include <lz4frame.h>' | $(CC) -E -x c - >/dev/null 2>&1 && echo yes)
ifeq ($(LZ4),yes)
CPPFLAGS += -DHAVE_LZ4
LIBS     += -llz4
endif

TOOLDIRS := probes restore report alerts
TOOLSRC  := $(foreach d,$(TOOLDIRS),$(wildcard $d/*.c))
TOOLS    := $(foreach f,$(TOOLSRC),$B/bin/$(basename $(notdir $f)))
LIBSRC   := $(filter-out $(if $(filter yes,$(ISAL)),,lib/dump/codec_isal.c),$(wildcard lib/*/*.c))
LIBOBJ   := $(LIBSRC:%.c=$B/%.o)
UNIT     := $(patsubst tests/unit/%.c,$B/unit/%,$(wildcard tests/unit/test_*.c))
MAN      := $(TOOLS:$B/bin/%=$B/man/%.1)
COMPLETE := $(TOOLS:$B/bin/%=$B/completion/%.bash) $(TOOLS:$B/bin/%=$B/completion/_%)
FUZZ     := $(patsubst tests/fuzz/%.c,$B/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
SCRIPTS  := $(shell grep -rlE '^\#!/bin/(ba)?sh' ci tests/run tests/place tests/servers tests/bench) $(wildcard tests/e2e/*.sh)
CFILES   := $(LIBSRC) $(TOOLSRC) $(wildcard tests/unit/*.c tests/fuzz/*.c)
HEADERS  := $(wildcard lib/*/*.h tests/unit/*.h)
vpath %.c $(TOOLDIRS)

all: $(TOOLS) man completion ## build the tools into build/bin, with manual pages and completions

$B/lib.a: $(LIBOBJ)
	rm -f $@ && $(AR) rcsD $@ $^

FLAGS = $(CC) $(filter-out -Werror,$(ALL_CFLAGS))
# Other flags, another version, another library found: everything is built again.
$B/flags: FORCE
	@mkdir -p $(@D); echo '$(FLAGS)' | cmp -s - $@ || echo '$(FLAGS)' > $@

$B/%.o: %.c $B/flags
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

$B/bin/%: $B/%.o $B/lib.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$B/unit/%: $B/tests/unit/%.o $B/lib.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcheck -lsubunit -lrt $(LIBS)

$B/man/%.1: $B/bin/%
	@mkdir -p $(@D)
	$< --mdoc > $@.part && mv $@.part $@

$B/completion/%.bash: $B/bin/%
	@mkdir -p $(@D)
	$< --completion bash > $@.part && mv $@.part $@

$B/completion/_%: $B/bin/%
	@mkdir -p $(@D)
	$< --completion zsh > $@.part && mv $@.part $@

man: $(MAN)

completion: $(COMPLETE)

units: $(UNIT)

check: all units ## every test: unit and end-to-end
	BUILD=$B tests/run e2e unit

check-unit: $(UNIT) ## unit tests
	BUILD=$B tests/run unit

check-e2e: all ## end-to-end tests: the built tools on real servers
	BUILD=$B tests/run e2e

bench: all ## compare with other tools, found at run time: tables of ratios (tests/bench/*.sh)
	@for f in tests/bench/*.sh; do echo "== $$f"; BIN=$(abspath $B)/bin $$f || exit 1; done

SANITIZE := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
check-asan: ## the tests again, built with the address and undefined behaviour sanitizers
	+SANITIZED=1 PATIENCE=4 CK_FORK=no ASAN_OPTIONS=detect_leaks=0 \
	$(MAKE) B=build/asan CFLAGS='$(SANITIZE)' HARDEN= HARDEN_LD= check

FUZZ_SECONDS ?= 20
fuzz: ## run each parser's fuzz target for FUZZ_SECONDS
	+$(MAKE) B=build/fuzzing CC=clang HARDEN= HARDEN_LD= \
		CFLAGS='$(SANITIZE) -fsanitize=fuzzer-no-link' fuzz-run

fuzz-run: $(FUZZ:%=%.run)

# A frame of zstd --long=31 asks for 2 GiB at once; only what is written there becomes memory.
$B/fuzz/%.run: $B/fuzz/%
	@mkdir -p $B/corpus/$*; echo "$*"; \
	$< -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 -malloc_limit_mb=2560 -print_final_stats=0 \
		-artifact_prefix=$B/ $B/corpus/$* $$(ls -d tests/fuzz/seeds/$* 2>/dev/null) \
		>$B/corpus/$*.log 2>&1 || { tail -n 40 $B/corpus/$*.log; exit 1; }

$B/fuzz/%: $B/tests/fuzz/%.o $B/lib.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS)

$B/lint/%.tidy: %.c .clang-tidy
	@mkdir -p $(@D)
	@echo "clang-tidy $<"; clang-tidy --quiet --warnings-as-errors='*' $< -- $(filter-out $(WARN_GCC),$(WARN)) $(CPPFLAGS) $(PG_INC) \
		2>$@.err || { cat $@.err; exit 1; }
	@touch $@

$B/lint/%.self: %
	@mkdir -p $(@D)
	$(CC) $(WARN) $(CPPFLAGS) $(PG_INC) -fsyntax-only -x c $<
	@touch $@

lint: all $(CFILES:%.c=$B/lint/%.tidy) $(HEADERS:%=$B/lint/%.self) ## every linter
	clang-format --dry-run --Werror $(CFILES) $(HEADERS)
	@mkdir -p $B/lint/cppcheck
	cppcheck -q --std=c11 --enable=warning,style,performance,portability --inline-suppr --error-exitcode=1 \
		--suppressions-list=ci/cppcheck.txt --cppcheck-build-dir=$B/lint/cppcheck -j 2 -I. -D_GNU_SOURCE \
		--include=ci/cppcheck.h $(LIBSRC) $(TOOLSRC)
	@# As built without the libraries that may be missing.
	$(CC) $(WARN) $(filter-out -DHAVE_%,$(CPPFLAGS)) -Werror -fsyntax-only $$(grep -l 'ifdef HAVE_' $(LIBSRC))
	shellcheck $(SCRIPTS)
	shellcheck -a ci/verify-backup ci/daily-job/pipeline
	ci/check-includes.sh
	mandoc -T lint -W warning $(MAN) $(PAGES)
	BUILD=$B ci/check-docs.sh

sample: ## make the sample configuration from backup-probes.conf(5)
	ci/conf-sample >ci/backup-probes.conf.sample.part && mv ci/backup-probes.conf.sample.part ci/backup-probes.conf.sample

modules: ## make docs/modules.md from the headers of lib/
	ci/module-map >docs/modules.md.part && mv docs/modules.md.part docs/modules.md

SHARE     = $(DESTDIR)$(PREFIX)/share
DOCDIR    = $(SHARE)/doc/backup-probes
JOBDIR    = $(SHARE)/backup-probes/daily-job
MANDIR    = $(SHARE)/man
BASHDIR   = $(SHARE)/bash-completion/completions
ZSHDIR    = $(SHARE)/zsh/site-functions
PLUGINDIR = $(DESTDIR)$(PREFIX)/lib/nagios/plugins
PAGES     = $(wildcard ci/*.[157])
EXAMPLES  = ci/backup-probes.conf.sample $(wildcard ci/github/* ci/gitlab/* ci/systemd/* ci/cron/* ci/nagios/* \
            ci/icinga2/* alerts/prometheus/* report/grafana/*) $(shell find ci/kubernetes -type f)
# Each probe is a monitoring plugin, too: check-freshness is check_backup_freshness.
install: all ## install below DESTDIR/PREFIX
	install -d $(DESTDIR)$(PREFIX)/bin $(MANDIR)/man1 $(DOCDIR) $(JOBDIR) $(BASHDIR) $(ZSHDIR) $(PLUGINDIR)
	install $(TOOLS) ci/verify-backup $(DESTDIR)$(PREFIX)/bin
	install -m 644 ci/daily-job/* $(JOBDIR)
	install -m 644 $(MAN) $(MANDIR)/man1
	for f in $(PAGES); do install -D -m 644 $$f $(MANDIR)/man$${f##*.}/$${f##*/} || exit; done
	install -m 644 README.md LICENSE $(wildcard docs/*) $(DOCDIR)
	for t in $(notdir $(TOOLS)); do \
		install -m 644 $B/completion/$$t.bash $(BASHDIR)/$$t && \
		install -m 644 $B/completion/_$$t $(ZSHDIR)/_$$t || exit; done
	for f in $(EXAMPLES); do install -D -m 644 $$f $(DOCDIR)/examples/$${f#*/} || exit; done
	for p in $(basename $(notdir $(wildcard probes/*.c))); do \
		ln -sf ../../../bin/$$p $(PLUGINDIR)/check_backup_$$(echo $${p#check-} | tr - _) || exit; done

uninstall: ## remove what install put there
	cd $(DESTDIR)$(PREFIX)/bin && rm -f verify-backup $(notdir $(TOOLS))
	cd $(MANDIR)/man1 && rm -f $(notdir $(MAN))
	for f in $(notdir $(PAGES)); do rm -f $(MANDIR)/man$${f##*.}/$$f || exit; done
	cd $(BASHDIR) && rm -f $(notdir $(TOOLS))
	cd $(ZSHDIR) && rm -f $(addprefix _,$(notdir $(TOOLS)))
	find $(PLUGINDIR) -name 'check_backup_*' -lname '../../../bin/*' -delete
	rm -rf $(DOCDIR) $(dir $(JOBDIR))

clean: ## remove build/
	rm -rf $B

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

-include $(LIBOBJ:.o=.d) $(foreach f,$(TOOLSRC),$B/$(basename $(notdir $f)).d) \
	$(patsubst $B/%,$B/tests/%.d,$(UNIT) $(FUZZ))

.PHONY: all man completion units bench check check-unit check-e2e check-asan fuzz fuzz-run lint sample modules install uninstall clean help FORCE
.SECONDARY:
.DELETE_ON_ERROR:

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
            -ftrivial-auto-var-init=zero
HARDEN_LD ?= -Wl,-z,relro,-z,now,-z,noexecstack,-z,defs
ifeq ($(findstring clang,$(shell $(CC) --version)),)
WARN     += $(WARN_GCC)
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
LIBS     := -lpq -lcurl -ljansson -lexpat -lssl -lcrypto -lzstd -llz4 -llzma -lbz2 -lz -lpthread -lm

TOOLDIRS := probes restore report alerts
TOOLSRC  := $(foreach d,$(TOOLDIRS),$(wildcard $d/*.c))
TOOLS    := $(foreach f,$(TOOLSRC),$B/bin/$(basename $(notdir $f)))
LIBSRC   := $(wildcard lib/*/*.c)
LIBOBJ   := $(LIBSRC:%.c=$B/%.o)
UNIT     := $(patsubst tests/unit/%.c,$B/unit/%,$(wildcard tests/unit/test_*.c))
vpath %.c $(TOOLDIRS)

all: $(TOOLS) ## build every tool into build/bin

$B/lib.a: $(LIBOBJ)
	rm -f $@ && $(AR) rcsD $@ $^

$B/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

$B/bin/%: $B/%.o $B/lib.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$B/unit/%: $B/tests/unit/%.o $B/lib.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcheck -lsubunit -lrt $(LIBS)

check-unit: $(UNIT) ## unit tests
	@for t in $(sort $(UNIT)); do $$t || exit 1; done

clean: ## remove build/
	rm -rf $B

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

-include $(LIBOBJ:.o=.d) $(foreach f,$(TOOLSRC),$B/$(basename $(notdir $f)).d) $(UNIT:$B/unit/%=$B/tests/unit/%.d)

.PHONY: all check-unit clean help
.SECONDARY:

# helpline: one Makefile, not recursive. `make help` says what there is.
#
# build/$(V)/ holds everything made: V is the variant (release; asan for the tests,
# fuzz the same optimized for `make fuzz`; tsan; clang). Sources are found by folder; dependency files keep them honest.

V       ?= release
B       := build/$(V)
PREFIX  ?= /usr/local
DESTDIR ?=
PYTHON  ?= /usr/bin/python3

ifeq ($(origin CC),default)
CC      := gcc
endif
CSTD    := -std=gnu11 -D_GNU_SOURCE -I. -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes \
           -Wmissing-prototypes -Wpointer-arith -Wwrite-strings
OPT     := -O2 -g -fno-omit-frame-pointer -fstack-protector-strong
SAN     :=
ifeq ($(V),clang)
CC      := clang
endif
# with coverage, so that the fuzz targets are made of the same objects; -O0 compiles three
# times faster than -O1 and the tests' time is waiting
ifeq ($(V),asan)
CC      := clang
SAN     := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
OPT     := -O0 -g -fno-omit-frame-pointer
endif
ifeq ($(V),tsan)
SAN     := -fsanitize=thread
OPT     := -O1 -g -fno-omit-frame-pointer
endif
ifeq ($(V),fuzz)
CC      := clang
SAN     := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
OPT     := -O1 -g -fno-omit-frame-pointer
endif
# twice as fast on binaries with sanitizers
ifeq ($(CC),clang)
LD_FAST := $(if $(shell command -v ld.lld),-fuse-ld=lld)
endif
CFLAGS  ?=
ALL_CFLAGS = $(CSTD) $(OPT) $(SAN) $(CFLAGS)
LDFLAGS ?=

# ---- libraries: each foreign one has one home ----
PC        = $(shell pkg-config $(1) $(2) 2>/dev/null)
LIBS_base  := -levent -levent_pthreads -ljansson -lpthread -lcrypto
LIBS_queue := -lhiredis
LIBS_config := -lpcre2-8 -lical

base_src   := $(wildcard daemon/base/*.c)
model_src  := $(wildcard daemon/model/*.c)
config_src := $(wildcard config/*.c)
queue_src  := $(wildcard queue/*.c)
# channels: helper programs have their own mains and libraries
mime_src   := $(wildcard channels/helper_mime*.c)
mailer_src := $(wildcard channels/helper_mailer*.c)
channels_src := $(filter-out $(mime_src) $(mailer_src),$(wildcard channels/*.c))
agent_src  := $(wildcard daemon/agent/*.c)
web_src    := $(wildcard daemon/web/*.c)
desk_src   := $(filter-out daemon/main.c,$(wildcard daemon/*.c))
tool_src   := $(filter-out daemon/tool/main.c,$(wildcard daemon/tool/*.c))

obj = $(patsubst %.c,$(B)/obj/%.o,$(1))
lib_base     := $(B)/libbase.a
lib_model    := $(B)/libmodel.a
lib_config   := $(B)/libconfig.a
lib_queue    := $(B)/libqueue.a
lib_channels := $(B)/libchannels.a
lib_mime     := $(B)/libmime.a
lib_mailer   := $(B)/libmailer.a
lib_desk     := $(B)/libdesk.a
lib_tool     := $(B)/libtool.a

PROGRAMS := $(B)/helplined $(B)/helpline $(B)/helpline-mime $(B)/helpline-mailer

.PHONY: all run test corpora check tidy bench bench-mime fuzz fuzzers units clean install uninstall help format
all: $(PROGRAMS)

help:
	@echo 'make run      install what is missing, build, start the demo desk and show it'
	@echo 'make test     install what is missing, build, run all tests'
	@echo 'make corpora  what is understood of the mail that others collected, in one table'
	@echo 'make check    layer check, clang-format, cppcheck, clang-tidy'
	@echo 'make bench    performance, as ratios against a baseline of the same run'
	@echo 'make fuzz     each fuzz target for SECONDS (default 60)'
	@echo 'make install  programs, manual pages, templates under DESTDIR and PREFIX'
	@echo 'make clean    removes build/'

# ---- the store's script: queue/lua/*.lua in one, embedded ----
LUA := $(sort $(wildcard queue/lua/*.lua))
$(B)/gen/desk.lua: $(LUA)
	@mkdir -p $(@D)
	cat $(LUA) /dev/null > $@
# ---- text embedded in the programs: bytes of $< as `static const unsigned char NAME[]`,
# ended by a NUL
define EMBED
@mkdir -p $(@D)
@{ echo '/* made from $< by make */'; echo 'static const unsigned char $(1)[] = {'; \
   od -An -v -tu1 $< | sed 's/  */,/g; s/^,//; s/$$/,/'; echo '0};'; } > $@
endef
$(B)/gen/desk_lua.h: $(B)/gen/desk.lua
	$(call EMBED,desk_lua)
$(B)/gen/fsck_lua.h: queue/fsck.lua
	$(call EMBED,fsck_lua)
$(B)/gen/demo_conf.h: config/demo/helpline.conf
	$(call EMBED,demo_conf)
$(call obj,daemon/demo.c): $(B)/gen/demo_conf.h
$(call obj,$(queue_src)): | $(B)/gen/desk_lua.h $(B)/gen/fsck_lua.h
$(call obj,queue/fsck_walk.c): $(B)/gen/fsck_lua.h
$(call obj,queue/desk_script.c): $(B)/gen/desk_lua.h

# ---- objects; `make Q=` shows the commands ----
Q   ?= @
say = @echo '  $(1)'
# asked only where it is needed: pkg-config may not be there yet
GMIME_CFLAGS = $(call PC,--cflags,gmime-3.0)
GMIME_LIBS   = $(call PC,--libs,gmime-3.0)
LIBS_mime   := -lexttextcat-2.0

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC   $(V) $<)
	$(Q)$(CC) $(ALL_CFLAGS) -I$(B)/gen $(EXTRA) -MMD -MP -c $< -o $@

# an archive may be empty while nothing of its layer is there
ARCHIVE = @mkdir -p $(@D); rm -f $@; ar rcs $@ $^
$(lib_base): $(call obj,$(base_src)) ; $(ARCHIVE)
$(lib_model): $(call obj,$(model_src)) ; $(ARCHIVE)
$(lib_config): $(call obj,$(config_src)) ; $(ARCHIVE)
$(lib_queue): $(call obj,$(queue_src)) ; $(ARCHIVE)
$(lib_channels): $(call obj,$(channels_src)) ; $(ARCHIVE)
$(lib_mime): $(call obj,$(filter-out channels/helper_mime.c,$(mime_src))) ; $(ARCHIVE)
$(lib_mailer): $(call obj,$(filter-out channels/helper_mailer.c,$(mailer_src))) ; $(ARCHIVE)
$(lib_desk): $(call obj,$(desk_src) $(agent_src) $(web_src)) ; $(ARCHIVE)
$(lib_tool): $(call obj,$(tool_src)) ; $(ARCHIVE)

LINK = $(call say,LINK $@); $(CC) $(ALL_CFLAGS) $(LD_FAST) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group

$(B)/helplined: $(call obj,daemon/main.c) $(lib_desk) $(lib_channels) $(lib_queue) $(lib_config) $(lib_model) $(lib_base)
	$(LINK) $(LIBS_queue) $(LIBS_config) $(LIBS_base)
$(B)/helpline: $(call obj,daemon/tool/main.c) $(lib_tool) $(lib_desk) $(lib_channels) $(lib_queue) $(lib_config) $(lib_model) $(lib_base)
	$(LINK) $(LIBS_queue) $(LIBS_config) $(LIBS_base)
$(B)/helpline-mime: $(call obj,channels/helper_mime.c) $(lib_mime) $(lib_channels) $(lib_config) $(lib_model) $(lib_base)
	$(LINK) $(LIBS_mime) -lseccomp $(LIBS_base)
$(B)/helpline-mailer: $(call obj,channels/helper_mailer.c) $(lib_mailer) $(lib_channels) $(lib_model) $(lib_base)
	$(LINK) -lesmtp -lssl -lseccomp -ldl $(LIBS_base)

# ---- unit tests: tests/unit/NAME.c becomes $(B)/tests/NAME, links everything but
# mains; base_NAME links the floor alone, mime_NAME the helper's parts and queue_NAME the queue
# and what is below it, which proves that they stand alone ----
unit_src := $(wildcard tests/unit/*.c)
unit_bin := $(patsubst tests/unit/%.c,$(B)/tests/%,$(unit_src))
UNIT_LIBS ?= $(lib_desk) $(lib_tool) $(lib_channels) $(lib_queue) $(lib_config) $(lib_model) $(lib_base)
$(B)/tests/mailer%: UNIT_EXTRA = $(lib_mailer) -lesmtp -lssl
$(B)/tests/base_%: $(B)/obj/tests/unit/base_%.o $(lib_base)
	@mkdir -p $(@D)
	$(call say,LINK $@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LD_FAST) $(LDFLAGS) -o $@ $^ $(LIBS_base) -lcmocka
$(B)/tests/queue_%: $(B)/obj/tests/unit/queue_%.o $(lib_queue) $(lib_model) $(lib_base)
	@mkdir -p $(@D)
	$(call say,LINK $@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LD_FAST) $(LDFLAGS) -o $@ $^ $(LIBS_queue) $(LIBS_base) -lcmocka
$(B)/tests/mime_%: $(B)/obj/tests/unit/mime_%.o $(lib_mime) $(lib_channels) $(lib_config) $(lib_model) $(lib_base)
	@mkdir -p $(@D)
	$(call say,LINK $@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LD_FAST) $(LDFLAGS) -o $@ $^ $(LIBS_mime) $(LIBS_base) -lcmocka
$(B)/tests/%: $(B)/obj/tests/unit/%.o $(UNIT_LIBS) $(lib_mime) $(lib_mailer)
	@mkdir -p $(@D)
	$(call say,LINK $@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LD_FAST) $(LDFLAGS) -o $@ $< -Wl,--start-group $(UNIT_LIBS) $(UNIT_EXTRA) -Wl,--end-group \
	    $(LIBS_queue) $(LIBS_config) $(LIBS_base) -lcmocka
# helpline-mime's parser beside GMime's own: tests/bench/mime.py
$(B)/tests/mime_speed: $(B)/obj/tests/bench/mime_speed.o $(lib_mime) $(lib_channels) $(lib_config) $(lib_model) $(lib_base)
	@mkdir -p $(@D)
	$(call say,LINK $@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LD_FAST) $(LDFLAGS) -o $@ $^ $(GMIME_LIBS) $(LIBS_mime) $(LIBS_base)
$(call obj,tests/bench/mime_speed.c): EXTRA = $(call PC,--cflags,gmime-3.0)
.PRECIOUS: $(B)/obj/%.o
units: $(unit_bin)

# ---- fuzz targets: tests/fuzz/NAME.c, corpus tests/fuzz/corpus/NAME/ ----
fuzz_src := $(wildcard tests/fuzz/*.c)
fuzz_bin := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(fuzz_src))
$(B)/fuzz/%: $(B)/obj/tests/fuzz/%.o $(UNIT_LIBS) $(lib_mime)
	@mkdir -p $(@D)
	$(call say,LINK $@)
	$(Q)$(CC) $(ALL_CFLAGS) -fsanitize=fuzzer $(LD_FAST) $(LDFLAGS) -o $@ $< -Wl,--start-group $(UNIT_LIBS) $(lib_mime) -Wl,--end-group \
	    $(LIBS_mime) $(LIBS_queue) $(LIBS_config) $(LIBS_base)
fuzzers: $(fuzz_bin)

# ---- packages (Debian 12): what is missing is installed, nothing else is touched ----
BUILD_PACKAGES := gcc libc6-dev make pkg-config libevent-dev libhiredis-dev libesmtp-dev \
                  libjansson-dev libpcre2-dev libical-dev libssl-dev libseccomp-dev uthash-dev redis-server tzdata \
                  libexttextcat-dev libexttextcat-data
TEST_PACKAGES  := $(BUILD_PACKAGES) clang lld libclang-rt-14-dev clang-format clang-tidy cppcheck libcmocka-dev \
                  python3 python3-redis python3-aiosmtpd openssl curl
# for tests/play/browser.py, which is skipped without them
BROWSER_PACKAGES := chromium chromium-driver python3-selenium
# for tests/play/libraries.py, whose part with node is skipped without them
NODE_PACKAGES := nodejs npm
BENCH_PACKAGES := $(BUILD_PACKAGES) libgmime-3.0-dev python3 python3-redis

define INSTALL_MISSING
@missing=; for p in $(1); do \
    dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q '^install ok installed' || missing="$$missing $$p"; \
done; \
if [ -n "$$missing" ]; then \
    echo "Missing packages:$$missing"; \
    if [ "$$(id -u)" = 0 ]; then root=; \
    elif command -v sudo >/dev/null; then root=sudo; \
    else echo "Neither root nor sudo: please have them installed: apt-get install$$missing" >&2; exit 1; fi; \
    echo "Installing them: $$root apt-get update; $$root apt-get install --no-install-recommends$$missing"; \
    $$root env DEBIAN_FRONTEND=noninteractive apt-get -q update && \
    $$root env DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends $$missing || exit 1; \
fi
endef
build/.deps-build: Makefile
	$(call INSTALL_MISSING,$(BUILD_PACKAGES))
	@mkdir -p build && touch $@
build/.deps-test: Makefile
	$(call INSTALL_MISSING,$(TEST_PACKAGES))
	@$(MAKE) --no-print-directory -s .browser || echo "No browser: tests/play/browser.py will be skipped"
	@command -v npm >/dev/null || $(MAKE) --no-print-directory -s .node || echo "No npm: tests/play/libraries.py will skip node-redis and ioredis"
	@mkdir -p build && touch $@
.PHONY: .browser .node
.browser:
	$(call INSTALL_MISSING,$(BROWSER_PACKAGES))
.node:
	$(call INSTALL_MISSING,$(NODE_PACKAGES))
build/.deps-bench: Makefile
	$(call INSTALL_MISSING,$(BENCH_PACKAGES))
	@mkdir -p build && touch $@

# ---- run: build quietly, then the demo desk on this terminal until Ctrl-C ----
run: build/.deps-build
	@echo 'Building helpline (the first time takes a minute or two) ...'
	@$(MAKE) --no-print-directory -s -j$$(nproc) V=$(V) all
	@config/demo/run $(B)

# ---- tests: tests/run.py builds the variants and runs everything; ONLY=words of names ----
ONLY ?=
test: build/.deps-test
	@$(PYTHON) tests/run.py $(ONLY)

# ---- mail that others collected: what of it is understood, in one table; ONLY=modules ----
corpora: build/.deps-test
	@$(MAKE) --no-print-directory -s -j2 V=$(V) $(PROGRAMS)
	@HELPLINE_BUILD=$(B) $(PYTHON) tests/corpora/run.py $(ONLY)

SOURCES := $(sort $(wildcard $(foreach d,daemon daemon/base daemon/model daemon/agent daemon/web daemon/tool channels queue config tests/unit tests/fuzz,$(d)/*.c)))
HEADERS := $(sort $(wildcard $(foreach d,daemon daemon/base daemon/model daemon/agent daemon/web daemon/tool channels queue config tests/unit tests/fuzz,$(d)/*.h)))
TIDY    := $(filter-out tests/%,$(SOURCES))
# one file a stamp, so that only what has changed is looked at again
build/tidy/%.ok: %.c .clang-tidy $(HEADERS) | $(B)/gen/desk_lua.h
	@mkdir -p $(@D)
	@clang-tidy --quiet $< -- $(filter-out -Werror,$(CSTD)) -I$(B)/gen $(GMIME_CFLAGS) 2>build/tidy/$(subst /,_,$*).err || \
	    { cat build/tidy/$(subst /,_,$*).err; exit 1; }
	@touch $@
tidy: $(patsubst %.c,build/tidy/%.ok,$(TIDY))
check: build/.deps-test
	@$(PYTHON) tests/layers.py
	@$(PYTHON) tests/lengths.py
	@echo "clang-format: $(words $(SOURCES) $(HEADERS)) files"
	@clang-format --dry-run -Werror $(SOURCES) $(HEADERS)
	@echo cppcheck
	@mkdir -p build/cppcheck
	@cppcheck --quiet --std=c11 -j2 --cppcheck-build-dir=build/cppcheck --enable=warning,performance,portability \
	    --inline-suppr --suppressions-list=tests/cppcheck.txt --error-exitcode=1 -D_GNU_SOURCE -I. -I$(B)/gen $(TIDY)
	@echo "clang-tidy: $(words $(TIDY)) files"
	@$(MAKE) --no-print-directory -j2 tidy
	@echo 'make check: clean'
format:
	clang-format -i $(SOURCES) $(HEADERS)

# ---- fuzz: each target for SECONDS; what it learns is in build/corpus, what it breaks in build/crashes ----
SECONDS ?= 60
fuzz: build/.deps-test
	@$(MAKE) --no-print-directory -j2 V=fuzz fuzzers
	@mkdir -p build/crashes
	@set -e; for f in $(notdir $(fuzz_bin)); do \
	    mkdir -p build/corpus/$$f; echo "== $$f, $(SECONDS) s"; \
	    build/fuzz/fuzz/$$f -max_total_time=$(SECONDS) -timeout=20 -rss_limit_mb=2048 -verbosity=0 -print_final_stats=1 \
	        -artifact_prefix=build/crashes/$$f- build/corpus/$$f tests/fuzz/corpus/$$f; \
	done

bench: build/.deps-bench
	@$(MAKE) --no-print-directory -j2 V=release all build/release/tests/mime_speed
	@$(PYTHON) tests/bench/mime.py
	@$(PYTHON) tests/bench/bench.py
bench-mime: build/.deps-bench
	@$(MAKE) --no-print-directory -s -j2 V=release all build/release/tests/mime_speed
	@$(PYTHON) tests/bench/mime.py

# ---- install: what is built; the service user and folders are the package's business ----
MAN1 := $(wildcard docs/*.1)
MAN5 := $(wildcard docs/*.5)
MAN8 := $(wildcard docs/*.8)
DOCS := $(wildcard README.md LICENSE docs/*.md)
SCHEMAS := $(wildcard docs/schema/*.json)
SAMPLES := $(wildcard config/*.conf)
TEMPLATES := $(wildcard config/templates/*.txt)
BOUNCES := $(wildcard config/bounces/*.conf)
UNITS := $(wildcard systemd/*.service systemd/*.socket)
D := $(DESTDIR)$(PREFIX)
install: $(PROGRAMS)
	install -d $(D)/sbin $(D)/bin $(D)/libexec/helpline $(D)/share/helpline/templates $(D)/share/helpline/bounces $(D)/share/doc/helpline/examples
	install -m 755 $(B)/helplined $(D)/sbin/
	install -m 755 $(B)/helpline $(D)/bin/
	install -m 755 $(B)/helpline-mime $(B)/helpline-mailer $(D)/libexec/helpline/
	$(if $(TEMPLATES),install -m 644 $(TEMPLATES) $(D)/share/helpline/templates/)
	$(if $(BOUNCES),install -m 644 $(BOUNCES) $(D)/share/helpline/bounces/)
	$(if $(SAMPLES),install -m 644 $(SAMPLES) $(D)/share/doc/helpline/examples/)
	$(if $(DOCS),install -m 644 $(DOCS) $(D)/share/doc/helpline/)
	$(if $(SCHEMAS),install -d $(D)/share/doc/helpline/schema && install -m 644 $(SCHEMAS) $(D)/share/doc/helpline/schema/)
	$(if $(MAN1),install -d $(D)/share/man/man1 && install -m 644 $(MAN1) $(D)/share/man/man1/)
	$(if $(MAN5),install -d $(D)/share/man/man5 && install -m 644 $(MAN5) $(D)/share/man/man5/)
	$(if $(MAN8),install -d $(D)/share/man/man8 && install -m 644 $(MAN8) $(D)/share/man/man8/)
	$(if $(UNITS),install -d $(D)/lib/systemd/system && for u in $(UNITS); do \
	    sed "s|/usr/local|$(PREFIX)|" $$u > $(D)/lib/systemd/system/$$(basename $$u) && chmod 644 $(D)/lib/systemd/system/$$(basename $$u); done)
	install -d $(D)/share/bash-completion/completions $(D)/share/zsh/site-functions $(D)/share/fish/vendor_completions.d
	$(B)/helpline completion bash > $(D)/share/bash-completion/completions/helpline
	$(B)/helpline completion zsh > $(D)/share/zsh/site-functions/_helpline
	$(B)/helpline completion fish > $(D)/share/fish/vendor_completions.d/helpline.fish
	install -d $(D)/lib/sysusers.d $(D)/lib/tmpfiles.d
	install -m 644 systemd/helpline.sysusers $(D)/lib/sysusers.d/helpline.conf
	install -m 644 systemd/helpline.tmpfiles $(D)/lib/tmpfiles.d/helpline.conf
uninstall:
	rm -f $(D)/sbin/helplined $(D)/bin/helpline
	rm -f $(D)/lib/sysusers.d/helpline.conf $(D)/lib/tmpfiles.d/helpline.conf
	rm -f $(D)/share/bash-completion/completions/helpline $(D)/share/zsh/site-functions/_helpline \
	    $(D)/share/fish/vendor_completions.d/helpline.fish
	rm -rf $(D)/libexec/helpline $(D)/share/helpline $(D)/share/doc/helpline
	rm -f $(patsubst docs/%,$(D)/share/man/man1/%,$(MAN1)) $(patsubst docs/%,$(D)/share/man/man5/%,$(MAN5)) \
	    $(patsubst docs/%,$(D)/share/man/man8/%,$(MAN8)) $(patsubst systemd/%,$(D)/lib/systemd/system/%,$(UNITS))

clean:
	rm -rf build

-include $(shell find build/*/obj -name '*.d' -type f 2>/dev/null)

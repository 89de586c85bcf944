# helpline: one Makefile, not recursive. `make help` says what there is.
#
# build/$(V)/ holds everything made: V is the variant (release, asan, tsan,
# fuzz). Sources are found by folder; dependency files keep them honest.

V       ?= release
B       := build/$(V)
PREFIX  ?= /usr/local
DESTDIR ?=
PYTHON  ?= /usr/bin/python3

ifeq ($(V),release)
CC      ?= gcc
endif
CSTD    := -std=gnu11 -D_GNU_SOURCE -I. -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes \
           -Wmissing-prototypes -Wpointer-arith -Wwrite-strings
OPT     := -O2 -g -fno-omit-frame-pointer -fstack-protector-strong
SAN     :=
ifeq ($(V),clang)
CC      := clang
endif
ifeq ($(V),asan)
SAN     := -fsanitize=address,undefined -fno-sanitize-recover=undefined
OPT     := -O1 -g -fno-omit-frame-pointer
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
CFLAGS  ?=
ALL_CFLAGS = $(CSTD) $(OPT) $(SAN) $(CFLAGS)
LDFLAGS ?=

# ---- libraries: each foreign one has one home ----
PC        = $(shell pkg-config $(1) $(2) 2>/dev/null)
LIBS_base  := -levent -levent_pthreads -ljansson -lpthread -lcrypto
LIBS_queue := -lhiredis
LIBS_config := -lpcre2-8

base_src   := $(wildcard daemon/base/*.c)
model_src  := $(wildcard daemon/model/*.c)
config_src := $(wildcard config/*.c)
queue_src  := $(wildcard queue/*.c)
# channels: helper programs have their own mains and libraries
mime_src   := $(wildcard channels/helper_mime*.c)
mailer_src := $(wildcard channels/helper_mailer*.c)
channels_src := $(filter-out $(mime_src) $(mailer_src),$(wildcard channels/*.c))
agent_src  := $(wildcard daemon/agent/*.c)
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

.PHONY: all run test check bench fuzz clean install uninstall help format
all: $(PROGRAMS)

help:
	@echo 'make run      install what is missing, build, start the demo desk and show it'
	@echo 'make test     install what is missing, build, run all tests'
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
$(B)/gen/desk_lua.h: $(B)/gen/desk.lua
	@mkdir -p $(@D)
	{ echo '/* made from queue/lua by make */'; echo 'static const unsigned char desk_lua[] = {'; \
	  od -An -v -tu1 $< | sed 's/  */,/g; s/^,//; s/$$/,/'; echo '0};'; } > $@
$(call obj,$(queue_src)): | $(B)/gen/desk_lua.h
$(call obj,queue/desk_script.c): $(B)/gen/desk_lua.h

# ---- objects ----
GMIME_CFLAGS := $(call PC,--cflags,gmime-3.0)
GMIME_LIBS   := $(call PC,--libs,gmime-3.0)
$(call obj,$(mime_src)): EXTRA = $(GMIME_CFLAGS)

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -I$(B)/gen $(EXTRA) -MMD -MP -c $< -o $@

# an archive may be empty while nothing of its layer is there
ARCHIVE = @mkdir -p $(@D); rm -f $@; ar rcs $@ $^
$(lib_base): $(call obj,$(base_src)) ; $(ARCHIVE)
$(lib_model): $(call obj,$(model_src)) ; $(ARCHIVE)
$(lib_config): $(call obj,$(config_src)) ; $(ARCHIVE)
$(lib_queue): $(call obj,$(queue_src)) ; $(ARCHIVE)
$(lib_channels): $(call obj,$(channels_src)) ; $(ARCHIVE)
$(lib_mime): $(call obj,$(filter-out channels/helper_mime.c,$(mime_src))) ; $(ARCHIVE)
$(lib_mailer): $(call obj,$(filter-out channels/helper_mailer.c,$(mailer_src))) ; $(ARCHIVE)
$(lib_desk): $(call obj,$(desk_src) $(agent_src)) ; $(ARCHIVE)
$(lib_tool): $(call obj,$(tool_src)) ; $(ARCHIVE)

LINK = $(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group

$(B)/helplined: $(call obj,daemon/main.c) $(lib_desk) $(lib_channels) $(lib_queue) $(lib_config) $(lib_model) $(lib_base)
	$(LINK) $(LIBS_queue) $(LIBS_config) $(LIBS_base)
$(B)/helpline: $(call obj,daemon/tool/main.c) $(lib_tool) $(lib_channels) $(lib_queue) $(lib_config) $(lib_model) $(lib_base)
	$(LINK) $(LIBS_queue) $(LIBS_config) $(LIBS_base)
$(B)/helpline-mime: $(call obj,channels/helper_mime.c) $(lib_mime) $(lib_model) $(lib_base)
	$(LINK) $(GMIME_LIBS) -lseccomp $(LIBS_base)
$(B)/helpline-mailer: $(call obj,channels/helper_mailer.c) $(lib_mailer) $(lib_model) $(lib_base)
	$(LINK) -lesmtp -lssl -lseccomp -ldl $(LIBS_base)

# ---- unit tests: tests/unit/NAME.c becomes $(B)/tests/NAME, links everything but
# mains; base_NAME links the floor alone and queue_NAME the queue and what is below it,
# which proves that they stand alone ----
unit_src := $(wildcard tests/unit/*.c)
unit_bin := $(patsubst tests/unit/%.c,$(B)/tests/%,$(unit_src))
UNIT_LIBS ?= $(lib_desk) $(lib_tool) $(lib_channels) $(lib_queue) $(lib_config) $(lib_model) $(lib_base)
$(B)/tests/mime%: UNIT_EXTRA = $(lib_mime) $(GMIME_LIBS)
$(B)/tests/mailer%: UNIT_EXTRA = $(lib_mailer) -lesmtp -lssl
$(B)/tests/base_%: $(B)/obj/tests/unit/base_%.o $(lib_base)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS_base) -lcmocka
$(B)/tests/queue_%: $(B)/obj/tests/unit/queue_%.o $(lib_queue) $(lib_model) $(lib_base)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS_queue) $(LIBS_base) -lcmocka
$(B)/tests/%: $(B)/obj/tests/unit/%.o $(UNIT_LIBS) $(lib_mime) $(lib_mailer)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $< -Wl,--start-group $(UNIT_LIBS) $(UNIT_EXTRA) -Wl,--end-group \
	    $(LIBS_queue) $(LIBS_config) $(LIBS_base) -lcmocka
.PRECIOUS: $(B)/obj/%.o
units: $(unit_bin)

# ---- fuzz targets: tests/fuzz/NAME.c, corpus tests/fuzz/corpus/NAME/ ----
fuzz_src := $(wildcard tests/fuzz/*.c)
fuzz_bin := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(fuzz_src))
$(B)/fuzz/%: $(B)/obj/tests/fuzz/%.o $(UNIT_LIBS) $(lib_mime)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -fsanitize=fuzzer $(LDFLAGS) -o $@ $< -Wl,--start-group $(UNIT_LIBS) $(lib_mime) -Wl,--end-group \
	    $(GMIME_LIBS) $(LIBS_queue) $(LIBS_config) $(LIBS_base)
fuzzers: $(fuzz_bin)

clean:
	rm -rf build

-include $(shell find build -name '*.d' 2>/dev/null)

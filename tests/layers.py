"""Who may include whom, and where each foreign library is at home.

    daemon (agent, web, tool) -> channels, queue (never each other) -> config -> daemon/model -> daemon/base

Prints each crossing as file:line: text; exit 1 when there is any.
"""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LAYERS = [  # the first that fits: (path begins with, layer)
    ("daemon/base/", "base"), ("daemon/model/", "model"), ("config/", "config"), ("queue/", "queue"),
    ("channels/helper_", "helper"), ("channels/", "channels"), ("daemon/", "daemon"), ("tests/", "tests"),
]
MAY_INCLUDE = {
    "base": {"base"},
    "model": {"base", "model"},
    "config": {"base", "model", "config"},
    "queue": {"base", "model", "config", "queue"},
    "channels": {"base", "model", "config", "channels"},
    "helper": {"base", "model", "config", "channels", "helper"},
    "daemon": {"base", "model", "config", "queue", "channels", "daemon"},
    "tests": {"base", "model", "config", "queue", "channels", "helper", "daemon", "tests"},
}
FOREIGN = [  # (header, layers where it is at home, the one file or None)
    (r"event2?/|event\.h|evhttp", {"base"}), (r"openssl/", {"base", "helper"}), (r"jansson", {"base"}), (r"curl/", {"base", "helper"}),
    (r"hiredis/", {"queue"}), (r"sqlite3", {"queue"}),
    (r"pcre2", {"config"}), (r"libical/", {"config"}),
    (r"gmime/|glib|gio/", set()), (r"libesmtp|auth-client", {"helper"}), (r"seccomp\.h", {"helper"}),
    (r"ytnef|tnef-", {"helper"}), (r"libexttextcat/", {"helper"}),
    (r"cmocka", {"tests"}), (r"systemd/", set()),
]
GENERATED = {"desk_lua.h": "queue", "fsck_lua.h": "queue", "demo_conf.h": "daemon"}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def layer_of(path):
    for prefix, layer in LAYERS:
        if path.startswith(prefix):
            return layer
    return None


def sources():
    for top in ("daemon", "config", "queue", "channels", "tests"):
        for folder, _, names in os.walk(os.path.join(ROOT, top)):
            for name in sorted(names):
                if name.endswith((".c", ".h")):
                    yield os.path.relpath(os.path.join(folder, name), ROOT)


def own_include(path, layer, name):
    if name in GENERATED:
        return "" if layer in (GENERATED[name], "tests") else "%s belongs to %s" % (name, GENERATED[name])
    if not os.path.exists(os.path.join(ROOT, name)):
        return 'no file "%s" (includes are written from the root)' % name
    if name.endswith(".c") and layer != "tests":
        return "a .c file is never included"
    target = layer_of(name)
    if target not in MAY_INCLUDE[layer]:
        return "%s must not see %s (%s)" % (layer, target, name)
    return ""


def foreign_include(layer, name):
    for pattern, homes in FOREIGN:
        if re.match(pattern, name) and layer not in homes and layer != "tests":
            return "<%s> is at home in %s only" % (name, " and ".join(sorted(homes)) or "nothing")
    return ""


def main():
    n_files = n_wrong = 0
    for path in sources():
        layer = layer_of(path)
        n_files += 1
        with open(os.path.join(ROOT, path), encoding="utf-8") as f:
            for number, line in enumerate(f, 1):
                m = INCLUDE.match(line)
                if m is None:
                    continue
                quote, name = m.groups()
                wrong = own_include(path, layer, name) if quote == '"' else foreign_include(layer, name)
                if wrong:
                    n_wrong += 1
                    print("%s:%d: %s" % (path, number, wrong))
    print("%d files, %d wrong includes" % (n_files, n_wrong))
    return 1 if n_wrong else 0


if __name__ == "__main__":
    sys.exit(main())

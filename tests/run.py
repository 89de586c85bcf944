"""Runs all tests and tells what came of them; `make test` is this after the packages.

    tests/run.py                    builds all variants, runs everything
    tests/run.py play/ base_        what has one of these words in its name
    tests/run.py --no-build races   with what is built

One line a test file, with the seconds it took and those of a processor; the whole
output of each is in build/test-logs/, that of a failing one is printed too. The last line is "N passed, N failed", with
", N skipped" where something was skipped (each with its reason above).

What it finds by itself:
    tests/unit/NAME.c                 cmocka: release and asan (base_disk: tsan too)
    tests/fuzz/NAME.c                 its corpus replayed by the asan build
    tests/{play,model,crash}/*.py     unittest files (they import unittest), and by comments in them:
        # run: release asan           with these builds (default release)
        # alone                       with nothing beside it
        # seconds: 300                how long it may take at most (default and least 400)
        # takes: 40                   about how long it takes: long ones begin first (default 5)

The variants are built one after the other; what needs one runs as soon as it is there,
several at once (they mostly wait). So no test may expect a machine of its own: it waits
for what must come (desk.wait_for) and never measures how soon it came.
"""
import argparse
import glob
import os
import re
import signal
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LOGS = os.path.join(ROOT, "build", "test-logs")
PYTHON = sys.executable
BUILDS = [  # name, make's words
    ("release", ["V=release", "all", "units"]),            # gcc -O2
    ("asan", ["V=asan", "all", "units", "fuzzers"]),       # clang -O0, with coverage for the fuzz targets
    ("tsan", ["V=tsan", "build/tsan/tests/base_disk"]),
]
TSAN_UNITS = ("base_disk",)
SAN_ENV = {
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:exitcode=99:allocator_may_return_null=1",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "TSAN_OPTIONS": "exitcode=99",
}


class Job:
    def __init__(self, name, command, counter, alone=False, seconds=240, env=None, build=None, takes=1):
        self.name = name          # "play/races [asan]"
        self.command = command
        self.counter = counter    # function(output, exit code) -> passed, failed, skipped
        self.alone = alone
        self.seconds = seconds
        self.env = dict(env or {})
        self.build = build        # the variant it needs
        self.takes = takes        # seconds, about: the order
        self.result = None


def count_exit(output, code):
    return (1, 0, 0) if code == 0 else (0, 1, 0)


def count_cmocka(output, code):
    passed = sum(int(n) for n in re.findall(r"^\[  PASSED  \] (\d+) test", output, re.M))
    failed = sum(int(n) for n in re.findall(r"^\[  FAILED  \] (\d+) test", output, re.M))
    skipped = sum(int(n) for n in re.findall(r"^\[  SKIPPED \] (\d+) test", output, re.M))
    if code != 0 and failed == 0:
        failed = 1
    if code == 0 and passed + failed + skipped == 0:
        passed = 1
    return passed, failed, skipped


def count_unittest(output, code):
    ran = re.search(r"^Ran (\d+) tests?", output, re.M)
    n = int(ran.group(1)) if ran else 0

    def of(word):
        m = re.search(r"^(?:FAILED|OK) \(.*\b%s=(\d+)" % word, output, re.M)
        return int(m.group(1)) if m else 0
    failed, skipped = of("failures") + of("errors") + of("unexpected successes"), of("skipped")
    if code != 0 and failed == 0:
        failed, n = 1, n + 1
    return max(0, n - failed - skipped), failed, skipped


def marks(path):
    """The comments of a Python test that speak to the runner."""
    with open(path, encoding="utf-8") as f:
        text = f.read()
    if not re.search(r"^import unittest|^from unittest", text, re.M):
        return None
    runs = re.search(r"^# run: (.+)$", text, re.M)
    seconds = re.search(r"^# seconds: (\d+)", text, re.M)
    takes = re.search(r"^# takes: (\d+)", text, re.M)
    return {"runs": runs.group(1).split() if runs else ["release"], "alone": bool(re.search(r"^# alone\b", text, re.M)),
            "seconds": max(400, int(seconds.group(1)) if seconds else 0), "takes": int(takes.group(1)) if takes else 5}


def find_units():
    for path in sorted(glob.glob(os.path.join(ROOT, "tests/unit/*.c"))):
        name = os.path.basename(path)[:-2]
        for variant in ("release", "asan") + (("tsan",) if name in TSAN_UNITS else ()):
            yield Job("unit/%s [%s]" % (name, variant), ["build/%s/tests/%s" % (variant, name)], count_cmocka, takes=6,
                      env=SAN_ENV, build=variant, seconds=240)


def find_fuzzers():
    for path in sorted(glob.glob(os.path.join(ROOT, "tests/fuzz/*.c"))):
        name = os.path.basename(path)[:-2]
        corpus = sorted(glob.glob(os.path.join(ROOT, "tests/fuzz/corpus", name, "*")))
        yield Job("fuzz/%s" % name, ["build/asan/fuzz/%s" % name, "-timeout=60", *corpus], count_exit,
                  env=SAN_ENV, build="asan", seconds=240)


def find_python():
    for folder in ("model", "play", "crash"):
        for path in sorted(glob.glob(os.path.join(ROOT, "tests", folder, "*.py"))):
            m = marks(path)
            if m is None:
                continue
            name = os.path.basename(path)[:-3]
            for variant in m["runs"]:
                env = dict(SAN_ENV, HELPLINE_BUILD="build/" + variant, PYTHONDONTWRITEBYTECODE="1", PYTHONUNBUFFERED="1",
                           PYTHONPATH=os.path.join(ROOT, "tests/play") + ":" + os.path.join(ROOT, "tests", folder))
                yield Job("%s/%s [%s]" % (folder, name, variant), [PYTHON, "-m", "unittest", "-v", os.path.relpath(path, ROOT)],
                          count_unittest, m["alone"], m["seconds"] * (3 if variant != "release" else 1), env, variant, m["takes"])


def find_checks():
    yield Job("layers", [PYTHON, "tests/layers.py"], count_exit, seconds=60)
    yield Job("lengths", [PYTHON, "tests/lengths.py"], count_exit, seconds=60)


def ended(p, seconds):
    """The exit code of the process and the CPU seconds of it and what it waited for; None: it is not over."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        pid, status, used = os.wait4(p.pid, os.WNOHANG)
        if pid != 0:
            p.returncode = os.waitstatus_to_exitcode(status)
            return p.returncode, used.ru_utime + used.ru_stime
        time.sleep(0.02)
    return None, 0.0


class Runner:
    def __init__(self):
        self.lock = threading.Lock()
        self.totals = [0, 0, 0]
        self.changed = threading.Condition()
        self.jobs = []
        self.built = set()   # variants that are there
        self.broken = set()  # variants that do not build

    def execute(self, job):
        log = os.path.join(LOGS, re.sub(r"[^a-zA-Z0-9_.-]+", "_", job.name).strip("_") + ".log")
        began = time.monotonic()
        late, cpu = False, 0.0
        with open(log, "wb") as out:
            try:
                p = subprocess.Popen(job.command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                     env=dict(os.environ, **job.env), start_new_session=True)
            except OSError as e:
                out.write(str(e).encode() + b"\n")
                p = None
            if p is not None:
                code, cpu = ended(p, job.seconds)
                if code is None:
                    late = True
                    os.killpg(p.pid, signal.SIGKILL)
                    code, cpu = ended(p, 60)
            else:
                code = 127
        with open(log, encoding="utf-8", errors="replace") as f:
            output = f.read()
        if late:
            output += "\n*** ended: it took longer than %d s\n" % job.seconds
        self.tell(job, output, code, time.monotonic() - began, cpu, log)

    def tell(self, job, output, code, took, cpu, log):
        passed, failed, skipped = job.counter(output, code)
        reasons = sorted(set(re.findall(r"skipped ['\"](.+)['\"]$", output, re.M)))
        with self.lock:
            for i, n in enumerate((passed, failed, skipped)):
                self.totals[i] += n
            if failed:
                print("--- output of %s (%s)" % (job.name, os.path.relpath(log, ROOT)))
                print(output if len(output) < 60000 else output[:20000] + "\n[...]\n" + output[-40000:])
                print("---")
            counts = "%d passed" % passed + (", %d failed" % failed if failed else "") + (", %d skipped" % skipped if skipped else "")
            print("%-5s %-40s %-28s %6.1f s %6.1f CPU" % ("FAIL" if failed else "ok", job.name, counts, took, cpu), flush=True)
            for r in reasons:
                print("      skipped: %s" % r, flush=True)
        job.result = failed == 0

    def build(self, variants):
        for name, words in BUILDS:
            if name not in variants:
                continue
            job = Job("build [%s]" % name, ["make", "-j%d" % (os.cpu_count() or 2), *words], count_exit, seconds=900)
            job.env = {"MAKEFLAGS": "", "MFLAGS": "", "MAKELEVEL": ""}
            self.execute(job)
            with self.changed:
                (self.built if job.result else self.broken).add(name)
                self.changed.notify_all()

    def take(self):
        """The next job that can run, the longest first; None when there is none any more."""
        with self.changed:
            while True:
                for job in [j for j in self.jobs if j.build in self.broken]:
                    print("FAIL  %-40s not run: its build failed" % job.name, flush=True)
                    self.totals[1] += 1
                    self.jobs.remove(job)
                ready = [j for j in self.jobs if j.build is None or j.build in self.built]
                if ready:
                    self.jobs.remove(ready[0])
                    return ready[0]
                if not self.jobs:
                    return None
                self.changed.wait()

    def work(self):
        job = self.take()
        while job is not None:
            self.execute(job)
            job = self.take()

    def run(self, jobs, n):
        self.jobs = sorted(jobs, key=lambda j: -j.takes)
        threads = [threading.Thread(target=self.work) for _ in range(n)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()


def wanted(job, words):
    return not words or any(w in job.name for w in words)


def main():
    parser = argparse.ArgumentParser(description="runs the tests; see the head of this file")
    parser.add_argument("words", nargs="*", help="only what has one of these in its name")
    parser.add_argument("--no-build", action="store_true", help="with what is built")
    parser.add_argument("-j", type=int, default=5, help="how many at once (default 5)")
    parser.add_argument("-l", action="store_true", help="list them")
    args = parser.parse_args()
    jobs = [j for j in (*find_checks(), *find_python(), *find_units(), *find_fuzzers()) if wanted(j, args.words)]
    if args.l:
        print("\n".join(j.name for j in jobs))
        return 0
    os.makedirs(LOGS, exist_ok=True)
    os.makedirs(os.path.join(ROOT, "build", "tmp"), exist_ok=True)
    began = time.monotonic()
    runner = Runner()
    need = {j.build for j in jobs if j.build} | (set() if args.words else {"release", "asan"})
    if args.no_build:
        runner.built = need
    builder = threading.Thread(target=runner.build, args=(need - runner.built,))
    builder.start()
    runner.run([j for j in jobs if not j.alone], args.j)
    builder.join()
    runner.run([j for j in jobs if j.alone], 1)
    passed, failed, skipped = runner.totals
    print("%.0f s; logs in build/test-logs/" % (time.monotonic() - began))
    print("%d passed, %d failed" % (passed, failed) + (", %d skipped" % skipped if skipped else ""), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

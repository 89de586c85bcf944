"""make install into a folder, work from there, make uninstall: nothing is left."""
# alone
import os
import shutil
import subprocess
import tempfile
import unittest

from desk import ROOT, Desk, mail


def make(*words):
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "HELPLINE_LIBEXEC")}
    return subprocess.run(["make", "-s", *words], cwd=ROOT, env=env, capture_output=True, text=True, timeout=300, check=True)


class InstalledDesk(Desk):
    prefix = ""

    def program(self, name):
        return os.path.join(self.prefix, "sbin" if name == "helplined" else "bin", name)


class Installed(unittest.TestCase):
    def test_install_work_uninstall(self):
        os.makedirs(os.path.join(ROOT, "build", "tmp"), exist_ok=True)
        top = tempfile.mkdtemp(prefix="i", dir=os.path.join(ROOT, "build", "tmp"))
        self.addCleanup(shutil.rmtree, top)
        make("install", "PREFIX=" + top)
        InstalledDesk.prefix = top
        for path in ("libexec/helpline/helpline-mime", "libexec/helpline/helpline-mailer", "share/man/man8/helplined.8",
                     "share/bash-completion/completions/helpline", "share/helpline/templates/standard.ru.txt", "share/doc/helpline/protocol.md"):
            self.assertTrue(os.path.exists(os.path.join(top, path)), path)
        with InstalledDesk() as d:
            d.deliver(mail(subject="VPN"))
            self.assertTrue(all(top in cmd for cmd in d.children("helpline-").values()))
            anna = d.agent("anna")
            anna("REPLY", d.wait_reserve(anna)["id"], "Restart it.")
            d.sink.wait(2)  # the acknowledgement's template and the answer
            d.fsck()
        make("uninstall", "PREFIX=" + top)
        left = [os.path.join(f, n) for f, _, names in os.walk(top) for n in names]
        self.assertEqual([], left)


if __name__ == "__main__":
    unittest.main()

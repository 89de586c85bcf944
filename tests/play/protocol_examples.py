"""The examples of docs/protocol.md, run against a real desk.

A block indented by four spaces that begins with a prompt is a session:

    anna> TOUCH 1042                  a command of that agent, on his connection
    (integer) 14400000                its answer as redis-cli prints it

    127.0.0.1:7711> PING              on a connection that begins without login
    $ curl -d '["PING"]' http://...   a program; -N: it runs on, and is asked what it says

`…` stands for whatever is there. 1042 is a fresh ticket that waits in the queue of the first line, further
numbers in commands are further fresh tickets; numbers that come first in an answer are what they are. The
desk is the one that stands in CONFIG below; hl_k3f9a2xq_… is a token of anna's.
"""
# seconds: 120
import json
import os
import re
import shlex
import subprocess
import threading
import unittest

from desk import ROOT, Desk, RespError, mail, wait_for
from resp import PATIENCE, Simple

AGENTS = """
lines first second
skills network billing
codes fixed no-reply
line first { holds 20; lease 4h }
agent anna "Anna" { skills network:4; line first }
agent boris "Boris" { skills network:5 billing:3; line second }
agent dina "Dina" { skills network:4; line first; trainee of anna }
agent vera "Vera" { role lead }
agent root "Root" { role admin }
acknowledge none
"""
TEXT = os.path.join(ROOT, "docs/protocol.md")
PROMPT = re.compile(r"^(?:([a-z]+|127\.0\.0\.1:7711)>|\$) (.*)$")
NOT_SESSIONS = re.compile(r"^(\{|[A-Z]+ +\{|const )")  # documents, a script
FREE = {"network", "first_response", "due", "met", "paused"}  # members of what the schema leaves open
TOKEN = "hl_k3f9a2xq_…"


def blocks(text):
    """(line number, heading above it, its lines) of each indented block."""
    heading, out, block = "", [], None
    for n, line in enumerate(text.split("\n"), 1):
        if line.startswith("#"):
            heading = line.strip("# ")
        if line.startswith("    "):
            if block is None:
                block = (n, heading, [])
            block[2].append(line[4:])
        elif line.strip() == "" and block is not None and n > 0:
            block[2].append("")
        else:
            if block is not None:
                out.append((block[0], block[1], "\n".join(block[2]).rstrip("\n").split("\n")))
            block = None
    return out


def steps(lines):
    """[(agent, None for $; command; [expected lines])]."""
    out = []
    for line in lines:
        m = PROMPT.match(line)
        if m:
            out.append((m.group(1), m.group(2), []))
        else:
            out[-1][2].append(line)
    return out


def quoted(b):
    text = b if isinstance(b, str) else b.decode("utf-8", "replace")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def printed(v, indent=""):
    """As redis-cli prints an answer, but letters of other alphabets as they are."""
    if v is None:
        return "(nil)"
    if isinstance(v, RespError):
        return "(error) " + v.text
    if isinstance(v, Simple):
        return str(v)
    if isinstance(v, bool):
        return "(true)" if v else "(false)"
    if isinstance(v, int):
        return "(integer) %d" % v
    if isinstance(v, (list, tuple)):
        if not v:
            return "(empty array)"
        width = len(str(len(v)))
        lines = []
        for i, x in enumerate(v, 1):
            head = "%*d) " % (width, i)
            lines.append((indent if i > 1 else "") + head + printed(x, indent + " " * len(head)))
        return "\n".join(lines)
    return quoted(v)


class Session:
    """One block on the desk: who is connected, which number means which ticket."""

    def __init__(self, desk, lines):
        self.d = desk
        self.numbers = {}
        self.clients = {}
        self.running = []
        if " -N " not in lines[0]:
            self.number("1042")

    def number(self, n):
        if n not in self.numbers:
            before = {t["id"] for t in self.d.list()}
            self.arrives()
            new = wait_for(lambda: {t["id"] for t in self.d.list() if t["state"] == "queued"} - before, what="the ticket")
            self.numbers[n] = new.pop()
        return self.numbers[n]

    def arrives(self):
        self.d.deliver(mail(subject="VPN does not connect", text="Nothing works since this morning.\n"))

    def client(self, name):
        if name not in self.clients:
            self.clients[name] = self.d.client() if name[0].isdigit() else self.d.agent(name, ready=False)
        return self.clients[name]

    def told(self, text):
        """A command of the text as it is for this desk."""
        text = re.sub(r"\b10\d\d\b", lambda m: self.number(m.group()), text)
        text = text.replace(TOKEN, self.d.token("anna")).replace("127.0.0.1:7780", "127.0.0.1:%d" % self.d.web_port)
        return text.replace("redis-cli -p 7711", "redis-cli -p %d" % self.d.port)

    def pattern(self, lines):
        """What the answer must look like; numbers not known yet are groups."""
        out = []
        for part in re.split(r"(…|\b17\d{11}-\d+|\b10\d\d\b)", "\n".join(lines)):
            if part == "…":
                out.append("(?:.|\n)*?")
            elif re.fullmatch(r"17\d{11}-\d+", part):
                out.append("\\d+-\\d+")  # an id of the journal
            elif re.fullmatch(r"10\d\d", part):
                known = self.numbers.get(part)
                if known:
                    out.append(known)
                elif "(?P<t%s>" % part in "".join(out):
                    out.append("(?P=t%s)" % part)
                else:
                    out.append("(?P<t%s>\\d+)" % part)
            else:
                out.append(re.escape(part))
        return re.compile("".join(out))

    def compare(self, command, answer, lines):
        m = self.pattern(lines).fullmatch(answer)
        if m is None:
            raise AssertionError("%s\n--- the text says\n%s\n--- it is\n%s" % (command, "\n".join(lines), answer))
        for name, value in m.groupdict().items():
            self.numbers[name[1:]] = value

    def command(self, name, text, lines):
        words = shlex.split(self.told(text))
        c = self.client(name)
        if words[0].upper() == "SUBSCRIBE":
            c.send(*words)
            n = sum(line.startswith("1) ") for line in lines)
            answers = []
            while len(answers) < n:
                answers.append(printed(c.read(PATIENCE, raising=False)))
            self.compare(text, "\n".join(answers), lines)
            return
        answer = c.raw(*words, timeout=PATIENCE)
        self.compare(text, printed(answer), lines)

    def program(self, text, lines):
        if text.startswith("redis-cli"):
            return  # what is typed there follows
        words = shlex.split(self.told(text))
        if "-N" not in words:
            p = subprocess.run(words[:1] + ["-sS"] + words[1:], capture_output=True, text=True, timeout=2 * PATIENCE)
            self.compare(text, p.stdout.rstrip("\n") + p.stderr, lines)
            return
        p = subprocess.Popen(words[:1] + ["-sS"] + words[1:], stdout=subprocess.PIPE, text=True)
        self.running.append(p)
        late = threading.Timer(PATIENCE, p.kill)
        late.start()
        got, pattern, begun = "", self.pattern(lines), False
        for line in p.stdout:
            got += line
            if line == "\n" and not begun:
                begun = True
                self.arrives()
            if pattern.fullmatch(got.rstrip("\n")):
                break
        late.cancel()
        self.compare(text, got.rstrip("\n"), lines)

    def run(self, lines):
        for name, text, expected in steps(lines):
            if name is None:
                self.program(text, expected)
            else:
                self.command(name, text, expected)

    def close(self):
        for p in self.running:
            p.kill()
            p.wait()
            p.stdout.close()
        for c in self.clients.values():
            c.close()
        with self.d.client() as vera:  # nothing is left over for the next one
            vera("AUTH", self.d.token("vera"))
            for t in self.d.list():
                vera.raw("ASSIGN", t["id"], "vera")
                vera.raw("RESOLVE", t["id"])


class Examples(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with open(TEXT, encoding="utf-8") as f:
            cls.blocks = blocks(f.read())
        cls.d = Desk(agents=AGENTS, rules="need network:3 when subject contains VPN\n", send_delay="60s")

    @classmethod
    def tearDownClass(cls):
        cls.d.fsck()
        cls.d.close()

    def test_each(self):
        n = 0
        for at, heading, lines in self.blocks:
            if not PROMPT.match(lines[0]):
                self.assertRegex(lines[0], NOT_SESSIONS, "line %d: neither a session nor a document" % at)
                continue
            n += 1
            with self.subTest(line=at, heading=heading):
                s = Session(self.d, lines)
                try:
                    s.run(lines)
                finally:
                    s.close()
        self.assertGreater(n, 3)

    def test_what_is_no_session_is_json_or_a_part_of_it(self):
        """The documents name no member that is not in their schemas."""
        schemas = {"WHY": "why", "STATS": "stats", "LINES": "line", "AGENTS": "agent"}
        for at, heading, lines in self.blocks:
            if heading == "Ticket document":
                self.check_names(at, "\n".join(lines), "ticket")
            elif heading == "Other documents":
                for part in re.split(r"(?m)^(?=[A-Z]+ +\{)", "\n".join(lines)):
                    word = part.split(" ", 1)[0]
                    if word in schemas:
                        self.check_names(at, part, schemas[word])

    def check_names(self, at, text, schema):
        path = os.path.join(ROOT, "docs/schema", schema + ".json")
        if not os.path.exists(path):
            return
        with open(path, encoding="utf-8") as f:
            known = set(names_of(json.load(f)))
        said = set(re.findall(r'"([a-z][a-z0-9_]*)"(?=[:,}]| *:)', text)) - FREE
        values = set(re.findall(r': "([a-z][a-z0-9_]*)"', text)) | set(re.findall(r'\["([a-z]+)"\]', text))
        self.assertEqual(set(), said - known - values, "line %d: not in %s" % (at, path))
        known -= {"queued", "held", "waiting", "resolved", "closed", "merged"}  # states, as members of STATS
        self.assertEqual(set(), known - set(re.findall(r'"([a-z][a-z0-9_]*)"', text)), "line %d: the text lacks what %s has" % (at, path))


def names_of(schema):
    """All names of members in a schema."""
    if isinstance(schema, dict):
        for name, sub in schema.items():
            if name == "properties":
                yield from sub
            yield from names_of(sub)
    elif isinstance(schema, list):
        for sub in schema:
            yield from names_of(sub)


if __name__ == "__main__":
    unittest.main()

"""What the tests of other people's parsers state of a mail, read out of expected-assertions.json
by the shapes of their sentences: webklex-php-imap (PHP), mikel-mail (Ruby), enmime (Go).

Only tests with one mail count. Their conventions: webklex reads the mail with CRLF, gives the
size of what is encoded (not compared), calls a part without a name by eight hex digits, and puts
"example" or "php" before names where a test says so; an expectation of one address may be a list."""
import os
import re

from sheet import addresses, folded, load, path

WEBKLEX, MIKEL, ENMIME = "webklex-php-imap", "mikel-mail", "enmime"


def php(text):
    return text.replace('\\"', '"').replace("\\'", "'").replace("\\\\", "\\")


def box(text):
    """"Name <a@b>" as PHP's parser shows a mailbox."""
    m = re.match(r"^(.*?)\s*<([^<>]*)>$", text, re.S)
    return [folded(m.group(1)), m.group(2)] if m else ["", text]


PHP_FIELD = re.compile(r"""assert(?:Same|Equals)\((["'])(.*?)\1, (?:\(string\))?\$message->(subject|from|to|cc|message_id)"""
                       r"""(->first\(\)->mail|->first\(\))?(?:->toString\(\))?\)""")
PHP_COUNT = re.compile(r"assert(?:Count|Same|Equals)\((\d+), \$(?:message->)?(?:getAttachments\(\)|attachments\(\)|attachments)(?:->count\(\))?\)")
PHP_PART = re.compile(r"""assert(?:Same|Equals)\((?:(["'])(.*?)\1|(\d+)), (?:hash\("sha256", )?\$attachment->(name|filename|content_type|content|size)\)""")
PHP_TEXT = re.compile(r"""assert(?:Same|Equals)\("((?:[^"\\]|\\.)*)", \$message->getTextBody\(\)\)""")


def read_crlf(reader, case):
    with open(path(WEBKLEX, case), "rb") as f:
        return reader.read_bytes(f.read().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"), case)


def webklex(sheet, reader):
    for test in load(WEBKLEX, "expected-assertions.json"):
        if len(test["fixtures"]) != 1:
            continue
        case = test["fixtures"][0]
        m = read_crlf(reader, case)
        fields, count, parts = {}, None, []
        for a in test["asserts"]:
            found = PHP_FIELD.search(a)
            if found:
                fields[found.group(3)] = php(found.group(2))
            found = PHP_COUNT.search(a)
            if found:
                count = int(found.group(1))
            if "InstanceOf(Attachment::class" in a:
                parts.append({})
            found = PHP_PART.search(a)
            if found:
                key = "sha256" if "hash(" in a and found.group(4) == "content" else found.group(4)
                if not parts or (key in parts[-1]):
                    parts.append({})
                if not ("hash(" in a and key == "filename") and not (key == "content"):
                    parts[-1][key] = php(found.group(2)) if found.group(1) else int(found.group(3))
            found = PHP_TEXT.search(a)
            if found:
                text = found.group(1).replace("\\r\\n", "\n").replace("\\n", "\n")
                sheet.check(WEBKLEX, case, "text", folded(php(text)), folded(m["text"]), folded(php(text)) in folded(m["text"]))
        if test["test"] not in ("testStructureParsing",):
            check_fields(sheet, WEBKLEX, case, fields, m)
            check_parts(sheet, WEBKLEX, case, count, parts, m)


def check_fields(sheet, corpus, case, fields, m):
    for key, wanted in fields.items():
        if key == "subject":
            sheet.check(corpus, case, "subject", folded(wanted), folded(m["subject"]))
        elif key == "message_id":
            sheet.check(corpus, case, "ids", wanted, m["message_id"])
        elif key == "from":
            got = addresses([m["from"]])[0]
            sheet.check(corpus, case, "sender", box(wanted), got, got[1].lower() == box(wanted)[1].lower())
        else:
            got = [a for _, a in addresses(m[key]) if a]
            sheet.check(corpus, case, "recipients", wanted, got,
                        re.findall(r"[^\s<>,\"]+@[^\s<>,\"]+", wanted.lower()) == [g.lower() for g in got])


def matches(corpus, part, a):
    """Is our attachment the one that is stated?"""
    names = [os.path.basename(str(part[k])) for k in ("name", "filename") if k in part]
    named = not names or a["name"] in names or all(re.fullmatch(r"[0-9a-f]{8}", n) for n in names)
    return named and part.get("content_type", a["type"]).lower() == a["type"] and part.get("sha256", a["sha256"]) == a["sha256"] \
        and (corpus == WEBKLEX or part.get("size", a["size"]) == a["size"])


def check_parts(sheet, corpus, case, count, parts, m):
    ours = m["attachments"]
    got = [[a["name"], a["type"], a["size"], a["sha256"]] for a in ours]
    if count is not None:
        sheet.check(corpus, case, "attachments", "%d of them" % count, got, count == len(ours))
    for part in parts:
        if part:
            sheet.check(corpus, case, "attachments", part, got, any(matches(corpus, part, a) for a in ours))


# tests whose mail is named by the next one: where it was opened before the test began
MIKEL_SHIFTED = {
    "should have one attachment called signature.asc": "emails/mime_emails/sig_only_email.eml",
    "should return an empty groups list": "", "should return the valid References value": "emails/error_emails/multiple_references_with_one_invalid.eml",
    "should return one invalid Content-Disposition value": "", "should be sent to the reply-to address": "", "should accept a block": "",
    "should be sent from the first to address": "", "should handle folding subject": "emails/rfc2822/example14.eml" and "",
}


def ruby(text):
    """The strings of a Ruby literal."""
    return [b or c for b, c in re.findall(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"", text)]


RUBY = re.compile(r"expect\((?:@?mail|@?message|m)\.(subject|from|to|cc|message_id|references)\)\.to eq (.+)$")
RUBY_COUNT = re.compile(r"expect\((?:@?mail|@?message)\.attachments\.(?:length|size)\)\.to eq\(?\s*(\d+)")
RUBY_NAME = re.compile(r"expect\((?:@?mail|@?message)\.attachments(?:\.first|\[\d\])\.filename\)\.to eq (.+)$")
RUBY_SIZE = re.compile(r"expect\((?:@?mail|@?message)\.attachments\[(\d)\]\.decoded\.length\)\.to eq (\d+)")


def mikel(sheet, reader):
    for test in load(MIKEL, "expected-assertions.json"):
        case = MIKEL_SHIFTED.get(test["test"], test["fixtures"][0] if len(test["fixtures"]) == 1 else "")
        if not case:
            continue
        m = reader.read(path(MIKEL, case))
        fields, count, parts = {}, None, []
        for a in test["asserts"]:
            found = RUBY.search(a)
            if found and ruby(found.group(2)):
                fields[found.group(1)] = ruby(found.group(2))
            found = RUBY_COUNT.search(a)
            count = int(found.group(1)) if found else count
            found = RUBY_NAME.search(a)
            if found and ruby(found.group(1)):
                parts.append({"name": ruby(found.group(1))[0]})
            found = RUBY_SIZE.search(a)
            if found:
                parts.append({"size": int(found.group(2))})
        check_ruby(sheet, case, fields, m)
        check_parts(sheet, MIKEL, case, count, parts, m)


def bare(text):
    """An address of obsolete syntax as we write it: without comments, blanks and route."""
    text = re.sub(r"\([^()]*\)|\s", "", re.sub(r"^.*<([^<>]*)>$", r"\1", text))
    return re.sub(r"^@[^:]*:", "", text).lower()


def check_ruby(sheet, case, fields, m):
    if "subject" in fields:
        wanted = folded(fields["subject"][0].replace("\\t", " "))
        sheet.check(MIKEL, case, "subject", wanted, folded(m["subject"]))
    if "message_id" in fields:
        sheet.check(MIKEL, case, "ids", bare(fields["message_id"][0]), re.sub(r"\([^()]*\)", "", m["message_id"]).lower())
    if "from" in fields:
        sheet.check(MIKEL, case, "sender", fields["from"], m["from"], m["from"]["address"].lower() == bare(fields["from"][0]))
    for key in ("to", "cc"):
        if key in fields:
            got = [a.lower() for _, a in addresses(m[key]) if a]
            sheet.check(MIKEL, case, "recipients", fields[key], got, [bare(f) for f in fields[key]] == got)


GO_WANT = re.compile(r'^want :?= "((?:[^"\\]|\\.)*)"$')


def enmime(sheet, reader):
    for test in load(ENMIME, "expected-assertions.json"):
        if len(test["fixtures"]) != 1 or not test["fixtures"][0].endswith(".raw") or "/mail/" not in test["fixtures"][0] + "/mail/":
            continue
        case, want = test["fixtures"][0], None
        m = reader.read(path(ENMIME, case))
        for a in test["asserts"]:
            found = GO_WANT.search(a)
            if found:
                want = found.group(1).replace("\\n", "\n")
            elif want is None:
                continue
            elif "Contains(e.Text, want)" in a and "*" not in want:
                sheet.check(ENMIME, case, "text", want, m["text"], folded(want) in folded(m["text"]))
            elif "FileName got" in a:
                names = [x["name"] for x in m["attachments"]]
                sheet.check(ENMIME, case, "attachments", want, names, want in names)
            elif "Subject was" in a:
                sheet.check(ENMIME, case, "subject", want, m["subject"])


def run(sheet, reader):
    webklex(sheet, reader)
    mikel(sheet, reader)
    enmime(sheet, reader)

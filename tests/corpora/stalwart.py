"""stalwart-mail-parser: a parse tree in JSON beside each mail (the .crlf one of the same mail
with CRLF), and vectors of single header fields.

Its conventions: a header that stands twice counts by any of its values here; attachments are
compared where they are named or no text; a text part must stand in our text."""
import calendar
import os
import re

from sheet import addresses, folded, load, mails, path

NAME = "stalwart-mail-parser"


def instances(part, name):
    return [h["value"] for h in part["headers"] if h["name"] == name]


def text_of(value):
    if value == "Empty":
        return ""
    return value.get("Text", " ".join(value.get("TextList", [])))


def boxes(value):
    """[[name, address]] of a stalwart address value; groups flattened."""
    if value in (None, "Empty"):
        return []
    value = value.get("Address", value)
    if "Group" in value:
        listed = [a for g in value["Group"] for a in g["addresses"]]
    else:
        listed = value.get("List", [])
    return [[folded(a.get("name")), lower_domain(a.get("address") or "")] for a in listed]


def lower_domain(address):
    local, at, domain = address.rpartition("@")
    return local + at + domain.lower() if at else address


def seconds(d):
    zone = (d["tz_hour"] * 60 + d["tz_minute"]) * 60 * (-1 if d["tz_before_gmt"] else 1)
    return calendar.timegm((d["year"], d["month"], d["day"], d["hour"], d["minute"], d["second"])) - zone


def parameter(part, header, name):
    for v in instances(part, header):
        if isinstance(v, dict):
            for a in v["ContentType"].get("attributes") or []:
                if a["name"].lower() == name:
                    return a["value"]
    return ""


def type_of(part):
    if isinstance(part["body"], dict) and "Message" in part["body"]:
        return "message/rfc822"
    for v in instances(part, "content_type"):
        if isinstance(v, dict) and v["ContentType"].get("c_subtype"):
            return ("%(c_type)s/%(c_subtype)s" % v["ContentType"]).lower()
    return "text/plain"


def our_boxes(listed):
    return [[folded(n), a] for n, a in addresses(listed)]


def same_boxes(wanted, got):
    """Comments may stand behind a name or not; a name without an address may be left out."""
    if wanted == got:
        return True
    pairs = [[b for b in listed if b[1]] for listed in (wanted, got)]
    bare = [[[folded(re.sub(r"\(.*\)?", "", n)).strip(), re.sub(r"\s", "", a)] for n, a in listed] for listed in pairs]
    if any("(" in n for n, _ in wanted):
        return [a for _, a in bare[0]] == [a for _, a in bare[1]]
    return bare[0] == bare[1]


def check_tree(sheet, case, tree, m):
    top = tree["parts"][0]
    if instances(top, "subject"):
        wanted = [folded(text_of(v)) for v in instances(top, "subject")]
        sheet.check(NAME, case, "subject", wanted[0], m["subject"], folded(m["subject"]) in wanted)
    if instances(top, "from"):
        wanted = [boxes(v)[:1] for v in instances(top, "from")]
        got = our_boxes([m["from"]])
        sheet.check(NAME, case, "sender", wanted[0], got, any(w == got or (not w and got == [["", ""]]) for w in wanted))
    for field in ("to", "cc"):
        if instances(top, field):
            wanted = sum([boxes(v) for v in instances(top, field)], [])
            got = our_boxes(m[field])
            sheet.check(NAME, case, "recipients", wanted, got, same_boxes(wanted, got))
    dates = [v["DateTime"] for v in instances(top, "date") if isinstance(v, dict) and "DateTime" in v]
    if dates:
        wanted = [seconds(d) for d in dates]
        sheet.check(NAME, case, "date", wanted, m["sent_at"], when(m["sent_at"]) in wanted or wanted[0] < 315532800)
    ids = [text_of(v) for v in instances(top, "message_id")]
    if ids:
        sheet.check(NAME, case, "ids", ids, m["message_id"], m["message_id"] in ids)
    check_parts(sheet, case, tree, m)


def when(value):
    """Our sent_at in seconds; 0 none."""
    if isinstance(value, (int, float)):
        return int(value) // (1 if value < 1e11 else 1000000)
    if not value:
        return 0
    import datetime
    return int(datetime.datetime.fromisoformat(value.replace("Z", "+00:00")).timestamp())


def is_counted(name, kind):
    return name or not kind.startswith("text/")


def check_parts(sheet, case, tree, m):
    wanted = []
    for i in tree["attachments"]:
        part = tree["parts"][i]
        name = parameter(part, "content_disposition", "filename") or parameter(part, "content_type", "name")
        wanted.append([os.path.basename(folded(name)), type_of(part)])
    wanted = sorted(w for w in wanted if is_counted(*w))
    got = sorted([a["name"], a["type"]] for a in m["attachments"])
    left = [g for g in got if is_counted(*g)]
    if not any(w[0] for w in wanted):  # a part without a name is called after its subject or not at all
        left = sorted(["", g[1]] for g in left if is_counted("", g[1]))
    if wanted or left:
        sheet.check(NAME, case, "attachments", wanted, got, wanted == left)
    for i in tree["text_body"]:
        body = tree["parts"][i]["body"]
        if isinstance(body, dict) and "Text" in body and i not in tree["attachments"]:
            sheet.check(NAME, case, "text", folded(body["Text"]), folded(m["text"]), folded(body["Text"]) in folded(m["text"]))


def trees(sheet, reader):
    for name in mails(NAME):
        if not name.endswith(".eml"):
            continue
        for end in ("", ".crlf"):
            json_name = name[:-4] + end + ".json"
            if not os.path.exists(path(NAME, json_name)):
                continue
            with open(path(NAME, name), "rb") as f:
                raw = f.read()
            if end:
                raw = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
            m = reader.read_bytes(raw, json_name)
            if m is not None:
                check_tree(sheet, json_name, load(NAME, json_name), m)


def field(reader, name, value, case):
    raw = value.encode() if isinstance(value, str) else value
    if not raw.endswith((b"\n", b"\r")):
        raw += b"\r\n"
    return reader.read_bytes(name.encode() + b": " + raw + b"X-End: 1\r\n\r\ntext\r\n", case)


def vectors(sheet, reader):
    for i, v in enumerate(load(NAME, "address.json")):
        case = "address.json %d" % i
        if "mailto:" in v["header"] or "://" in v["header"]:
            continue  # List-Post and its like, no recipients
        m = field(reader, "To", v["header"], case)
        wanted, got = boxes(v["expected"]), our_boxes(m["to"])
        sheet.check(NAME, case, "recipients", wanted, got, same_boxes(wanted, got))
    for i, v in enumerate(load(NAME, "unstructured.json")):
        case = "unstructured.json %d" % i
        m = field(reader, "Subject", v["header"], case)
        sheet.check(NAME, case, "subject", folded(v["expected"]), folded(m["subject"]))
    for i, v in enumerate(load(NAME, "id.json")):
        case = "id.json %d" % i
        m = field(reader, "References", v["header"], case)
        sheet.check(NAME, case, "ids", v["expected"], m["references"])
    for i, v in enumerate(load(NAME, "date.json")):
        case = "date.json %d" % i
        m = field(reader, "Date", v["header"], case)
        if v["expected"]:
            wanted = seconds(v["expected"])
            sheet.check(NAME, case, "date", wanted, m["sent_at"], when(m["sent_at"]) == wanted or wanted < 315532800)


def run(sheet, reader):
    trees(sheet, reader)
    vectors(sheet, reader)

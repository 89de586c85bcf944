# takes: 12
# seconds: 200
"""Attacks in HTML mail, as BLOB ticket html gives them, in a real browser: nothing runs, nothing is fetched.

The same attacks as they came are shown first: they must be seen to work, or the test would prove nothing.
"""
import http.server
import json
import threading
import time
import unittest

from browser import MISSING, WIDE, browser
from desk import Desk, wait_for

# LEAK is an address of ours that must not be asked for, ran() a function that must not be called
ATTACKS = r"""
<script>ran()</script>
<script src=LEAK></script>
<SCRIPT>ran()</SCRIPT >
<scr<script>ipt>ran()</scr</script>ipt>
<img src=LEAK>
<img src=x onerror=ran()>
<img/src=x/onerror=ran()>
<img src="x" onerror="ran()" alt="">
<img srcset="LEAK 2x" src=cid:a>
<img src=cid:a style="background:url(LEAK)">
<img src=cid:a lowsrc=LEAK dynsrc=LEAK>
<picture><source srcset=LEAK><img src=cid:a></picture>
<svg onload=ran()></svg>
<svg><script>ran()</script></svg>
<svg><image href=LEAK /></svg>
<svg><use href="LEAK#a"/></svg>
<svg><style><img src=x onerror=ran()></style></svg>
<svg></p><style><a id="</style><img src=1 onerror=ran()>">
<svg><foreignObject><p><img src=LEAK></p></foreignObject></svg>
<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=ran()&gt;">
<math><mi//xlink:href="data:x,<script>ran()</script>">
<math><annotation-xml encoding="text/html"><img src=x onerror=ran()></annotation-xml></math>
<form><math><mtext></form><form><mglyph><style></math><img src onerror=ran()>
<body onload=ran()>
<body background=LEAK>
<table background=LEAK><tr><td background=LEAK>x</table>
<div style="background:url(LEAK)">x</div>
<div style="background-image:u\72l(LEAK)">x</div>
<div style="list-style-image:url(LEAK);display:list-item">x</div>
<div style="content:url(LEAK)">x</div>
<div style="width:100px;cursor:url(LEAK),auto">x</div>
<style>@import "LEAK";</style>
<style>body{background:url(LEAK)}</style>
<link rel=stylesheet href=LEAK>
<link rel=prefetch href=LEAK>
<meta http-equiv=refresh content="0;url=LEAK">
<base href="LEAK"><img src=a.png>
<iframe src=LEAK></iframe>
<iframe src="javascript:parent.ran()"></iframe>
<iframe srcdoc="<script>parent.ran()</script>"></iframe>
<object data=LEAK></object>
<embed src=LEAK>
<video src=LEAK autoplay></video>
<video poster=LEAK></video>
<audio src=LEAK autoplay></audio>
<video><source onerror=ran() src=x></video>
<input autofocus onfocus=ran()>
<input type=image src=LEAK>
<details open ontoggle=ran()>x</details>
<select autofocus onfocus=ran()></select>
<textarea autofocus onfocus=ran()></textarea>
<form action=LEAK id=f><button id=b>x</button></form><img src=x onerror="f.submit()">
<noscript><p title="</noscript><img src=x onerror=ran()>">
<xmp><p title="</xmp><img src=x onerror=ran()>">
<title><p title="</title><img src=x onerror=ran()>">
<textarea><p title="</textarea><img src=x onerror=ran()>">
<template><img src=x onerror=ran()></template><p title="</template><img src=x onerror=ran()>">
<plaintext><img src=x onerror=ran()>
<!--><img src=x onerror=ran()>-->
<!-- --!><img src=x onerror=ran()> -->
<![CDATA[><img src=x onerror=ran()>]]>
<?xml ><img src=x onerror=ran()>
<!--[if gte IE 4]><script>ran()</script><![endif]--><![if true]><img src=x onerror=ran()><![endif]>
<a href="javascript:ran()" id=click>x</a>
<a href=" &#14; javascript:ran()">x</a>
<a href="jav&#x09;ascript:ran()">x</a>
<a href="JaVaScRiPt&colon;ran()">x</a>
<a href="data:text/html,<script>ran()</script>">x</a>
<a href="https://x.example/&quot; onmouseover=&quot;ran()">x</a>
<a href=https://x.example/ ping=LEAK>x</a>
<p title='"><img src=x onerror=ran()>'>x</p>
<p title="&quot;&gt;&lt;img src=x onerror=ran()&gt;">x</p>
<p style="color:red&quot;onmouseover=ran()">x</p>
<p title=`"><img src=x onerror=ran()>`>x</p>
<p id=location name=location style="animation:x" onanimationstart=ran()>x</p>
<font face="a&quot; onload=&quot;ran()" color="url(LEAK)">x</font>
<marquee onstart=ran()>x</marquee>
&lt;img src=x onerror=ran()&gt;
&amp;lt;img src=x onerror=ran()&amp;gt;
<table><td><img src=x onerror=ran()><table><caption><svg><p></caption><style><img src=x onerror=ran()></style></table>
<a><b><table></a><a><img src=x onerror=ran()></table>
<p/onclick=ran()><img src="cid:&quot; onerror=&quot;ran()">
<img src="cid:x' onerror='ran()"><img src=cid:x`onerror=ran()>
""".strip().split("\n")
PAGE = """<!DOCTYPE html><meta charset=utf-8><title>t</title><script>function ran() { window.hit = 1 }
addEventListener("load", function () { window.loaded = 1 })</script>%s"""
# what a client does with it, and what mutation needs: written, read, written again
WRITTEN = """<script>for (const f of %s) {
    const a = document.createElement("div"), b = document.createElement("div")
    document.body.append(a, b); a.innerHTML = f; b.innerHTML = a.innerHTML; a.innerHTML = b.innerHTML
}</script>"""


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        self.pages, self.leaks = {}, []
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self.server_port
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        page = self.server.pages.get(self.path)
        if page is None and self.path != "/favicon.ico":
            self.server.leaks.append(self.path)
        self.send_response(200 if page is not None else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page or b"")))
        self.end_headers()
        self.wfile.write(page or b"")

    do_POST = do_GET

    def log_message(self, *args):
        pass


def in_script(x):
    return json.dumps(x).replace("<", "\\u003c")


@unittest.skipIf(MISSING, "SKIPPED: no %s" % MISSING)
class HtmlBrowser(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)

    def sanitised(self, htmls):
        with Desk(live=False) as d:
            v, out = d.admin(), []
            for i, html in enumerate(htmls):
                d.deliver(("From: a@b.example\r\nTo: support@desk.example\r\nSubject: %d\r\nMessage-ID: <%d@b.example>\r\n"
                           "Content-Type: text/html; charset=utf-8\r\n\r\n%s\r\n" % (i, i, html)).encode())
            for i in range(len(htmls)):
                out.append(v("BLOB", str(i + 1), "html"))
            return out

    def show(self, b, name, body):
        self.server.pages["/" + name] = (PAGE % body).encode()
        b.get(self.server.url + "/" + name)
        wait_for(lambda: b.execute_script("return window.loaded"), 20)

    def test_attacks(self):
        attacks = [a.replace("LEAK", "%s/leak/%d" % (self.server.url, i)) for i, a in enumerate(ATTACKS)]
        clean = self.sanitised(attacks)
        b = browser(WIDE)
        self.addCleanup(b.quit)
        harmless = [a for a in attacks if "refresh" not in a and "submit" not in a and "<base" not in a]
        self.show(b, "raw", "<body>" + WRITTEN % in_script(harmless) + harmless[4] + harmless[5])
        wait_for(lambda: b.execute_script("return window.hit"), 20)
        wait_for(lambda: len([x for x in self.server.leaks if x.startswith("/leak/")]) > 5, 20)
        b.get("about:blank")
        time.sleep(0.5)  # what was asked for late
        self.server.leaks.clear()
        for name, body in (("parsed", "\n".join("<div>%s</div>" % c for c in clean)),
                           ("written", WRITTEN % in_script(clean))):
            self.show(b, name, "<body>" + body)
            b.execute_script("for (const a of document.querySelectorAll('a')) { a.onclick = e => 0; a.removeAttribute('target');"
                             "if (!/^(https|mailto|tel):/.test(a.protocol) && a.hasAttribute('href')) window.hit = a.href }")
            self.assertIsNone(b.execute_script("return window.hit"), name)
            names = b.execute_script("return [...new Set([...document.body.querySelectorAll('*:not(script)')].flatMap("
                                     "e => [...e.attributes].map(a => a.name)))].sort()")
            self.assertLessEqual(set(names), {"href", "rel", "target", "src", "alt", "title", "style", "color", "face"})
        time.sleep(0.5)
        self.assertEqual([], self.server.leaks)


if __name__ == "__main__":
    unittest.main()

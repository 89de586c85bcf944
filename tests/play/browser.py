# takes: 20
# seconds: 300
"""A customer with a real browser (headless Chromium): wide and narrow, with and without JavaScript.

The screenshots are in build/screenshots, to be looked at. Without chromium, its driver
and python3-selenium everything is skipped.
"""
import base64
import json
import os
import re
import shutil
import tempfile
import unittest

from desk import ROOT, Desk, wait_for

try:
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.by import By
    MISSING = "" if shutil.which("chromium") and shutil.which("chromedriver") else "chromium or chromedriver"
except ImportError:
    MISSING = "python3-selenium"

SHOTS = os.path.join(ROOT, "build", "screenshots")
WIDE, NARROW = (1280, 1100), (360, 780)
FORM = """
country 7
form contact {
    rate 1000
    field name    { required }
    field email   { type email; required }
    field phone   { type phone }
    field product { label ru "Изделие"; label en "Product"; choices "Роутер Р-5" "Камера К-2" "Другое" }
    field message { type text; required }
    field files   { type files; at-most 5; limit 5MB }
    field consent { type consent; text "Я согласен на обработку моих персональных данных для ответа на это обращение."; required }
}
"""


def browser(size, javascript=True):
    o = Options()
    o.binary_location = shutil.which("chromium")
    for a in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--lang=ru",
              "--user-data-dir=" + tempfile.mkdtemp(prefix="chromium", dir=os.path.join(ROOT, "build", "tmp"))):
        o.add_argument(a)
    prefs = {"intl.accept_languages": "ru,en"}
    if not javascript:
        prefs["profile.managed_default_content_settings.javascript"] = 2
    o.add_experimental_option("prefs", prefs)
    b = webdriver.Chrome(service=Service(shutil.which("chromedriver")), options=o)
    b.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                      {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": size == NARROW})
    if not javascript:
        b.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    return b


@unittest.skipIf(MISSING, "SKIPPED: no %s" % MISSING)
class Browser(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        os.makedirs(SHOTS, exist_ok=True)
        cls.desk = Desk(extra=FORM)
        cls.url = "http://127.0.0.1:%d" % cls.desk.web_port

    @classmethod
    def tearDownClass(cls):
        cls.desk.fsck()
        cls.desk.close()

    def shot(self, b, name):
        height = b.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
        data = b.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True,
                                 "clip": {"x": 0, "y": 0, "width": height["width"], "height": height["height"], "scale": 1}})["data"]
        with open(os.path.join(SHOTS, name + ".png"), "wb") as f:
            f.write(base64.b64decode(data))

    def fill(self, b, **values):
        for name, text in values.items():
            e = b.find_element(By.NAME, name)
            e.clear()
            e.send_keys(text)

    def fits(self, b, size):
        """Nothing has to be pushed sideways."""
        self.assertLessEqual(b.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]["width"], size[0])

    def customer(self, name, size, javascript):
        b = browser(size, javascript)
        try:
            b.get(self.url + "/f/contact")
            self.assertEqual(b.find_element(By.TAG_NAME, "html").get_attribute("lang"), "ru")
            self.fits(b, size)
            self.shot(b, name + "-1-form")
            # seen by the server only: a wrong number
            upload = os.path.join(self.desk.dir, "photo.png")
            with open(upload, "wb") as f:
                f.write(os.urandom(70000))
            self.fill(b, name="Мария Петрова", email="maria@customer.example", phone="12",
                      message="Роутер не включается.\nИндикатор «PWR» не горит.")
            b.find_element(By.NAME, "files").send_keys(upload)
            b.find_element(By.CSS_SELECTOR, "option[value='Роутер Р-5']").click()
            b.find_element(By.NAME, "consent").click()
            b.find_element(By.TAG_NAME, "button").click()
            wait_for(lambda: b.find_elements(By.CLASS_NAME, "fault"), 10)
            self.fits(b, size)
            self.shot(b, name + "-2-fault")
            phone = b.find_element(By.NAME, "phone")
            self.assertEqual(phone.get_attribute("aria-invalid"), "true")
            self.assertEqual(b.find_element(By.ID, phone.get_attribute("aria-describedby")).text[:4], "Это ")
            self.assertEqual(b.switch_to.active_element.get_attribute("name"), "phone")
            self.assertEqual(b.find_element(By.NAME, "message").get_attribute("value"),
                             "Роутер не включается.\nИндикатор «PWR» не горит.")
            self.assertTrue(b.find_element(By.NAME, "consent").is_selected())
            self.assertFalse(b.find_element(By.NAME, "_website").is_displayed() and
                             b.find_element(By.NAME, "_website").location["x"] >= 0)
            self.fill(b, phone="8 (495) 123-45-67")
            b.find_element(By.NAME, "files").send_keys(upload)
            b.find_element(By.TAG_NAME, "button").click()
            wait_for(lambda: "/thanks/" in b.current_url, 10)
            self.fits(b, size)
            self.shot(b, name + "-3-thanks")
            ticket = b.find_element(By.CLASS_NAME, "ticket").text
            n = len(self.desk.list())
            thanks, n = b.current_url, len(self.desk.list())
            b.refresh()
            b.back()  # the page after a POST: browsers ask before they send it again
            b.back()
            b.forward()
            self.assertEqual(len(self.desk.list()), n)
            b.get(self.url + "/s/" + re.search(r"/thanks/([^?]+)", thanks).group(1))
            self.assertIn("ждёт специалиста", b.page_source)
            with self.desk.agent("vera") as v:
                v("TAKE", ticket)
                v("REPLY", ticket, "Здравствуйте, Мария!\nПодключите другой адаптер питания.")
            b.refresh()
            self.assertIn("другой адаптер", b.page_source)
            b.find_element(By.NAME, "text").send_keys("Помогло, спасибо!")
            b.find_element(By.TAG_NAME, "button").click()
            wait_for(lambda: b.find_elements(By.CLASS_NAME, "good"), 10)
            self.fits(b, size)
            self.shot(b, name + "-4-status")
            with self.desk.admin() as a:
                doc = json.loads(a("SHOW", ticket))
            self.assertEqual(doc["n_messages"], 3)
            self.assertEqual(doc["messages"][0]["attachments"][0]["size"], 70000)
            b.find_element(By.CSS_SELECTOR, ".language a").click()
            wait_for(lambda: b.find_element(By.TAG_NAME, "html").get_attribute("lang") == "en", 10)
            if javascript:
                log = [x for x in b.get_log("browser") if x["level"] == "SEVERE" and "favicon" not in x["message"]
                       and " 422 " not in x["message"]]
                self.assertEqual(log, [])
        finally:
            b.quit()

    def test_wide(self):
        self.customer("wide", WIDE, True)

    def test_narrow(self):
        self.customer("narrow", NARROW, True)

    def test_wide_without_javascript(self):
        self.customer("wide-nojs", WIDE, False)

    def test_narrow_without_javascript(self):
        self.customer("narrow-nojs", NARROW, False)


if __name__ == "__main__":
    unittest.main()

"""Debian's Chromium at the pages of a served demo: sign in, look, read a request, approve it, see its result; apply for data
and answer it.

usage: browser_client.py DEMO.JSON

Needs GLOVEBOX_BINARY (the program), GLOVEBOX_JOB (a folder with job.toml and its module) and GLOVEBOX_PICTURES (a folder).
"""

import base64
import hashlib
import json
import os
import pathlib
import re
import shlex
import ssl
import subprocess
import sys
import tempfile
import urllib.request

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from common import Checks, INTERNALS, demo
from devtools import Browser

TOLD = demo()
URL = TOLD["http_url"]
DEMO_DIR = pathlib.Path(sys.argv[1]).resolve().parent
BINARY = os.environ["GLOVEBOX_BINARY"]
JOB = pathlib.Path(os.environ["GLOVEBOX_JOB"])
PICTURES = pathlib.Path(os.environ["GLOVEBOX_PICTURES"])

# A phone, a screen at 200 %, a screen.
WIDTHS = (320, 640, 1280)

# What a page must be for whoever uses no mouse, no pictures or another program to read with.
ACCESSIBLE = """(() => {
  const wrong = [];
  const all = (selector, test, what) => document.querySelectorAll(selector).forEach(e => { if (!test(e)) wrong.push(what + ': ' + e.outerHTML.slice(0, 120)); });
  all('table', e => e.caption && e.caption.innerText.trim(), 'a table without a caption');
  all('th', e => e.scope === 'col' || e.scope === 'row', 'a head cell without a scope');
  all('img', e => e.hasAttribute('alt'), 'a picture without a text');
  all('svg', e => e.getAttribute('role') === 'img' && e.getAttribute('aria-label'), 'a plot without a text');
  all('input:not([type=hidden]), textarea', e => e.labels.length === 1, 'a field without a label');
  all('a, button', e => e.innerText.trim(), 'a link or button without a text');
  all('main [style], script, style', () => false, 'a style or script in the page');
  if (document.querySelectorAll('h1').length !== 1) wrong.push('not one h1');
  if (document.querySelectorAll('main').length !== 1) wrong.push('not one main');
  if (!document.title.trim()) wrong.push('no title');
  const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
  if (new Set(ids).size !== ids.length) wrong.push('an id twice');
  return wrong;
})()"""

# The words of a page without those of the page that an officer signs.
OUR_WORDS = """(() => {
  const copy = document.body.cloneNode(true);
  copy.querySelectorAll('pre.sheet').forEach(e => e.remove());
  return copy.textContent;
})()"""


def trusted_key():
    """The public key of the demo's server, as Chromium wants it named: no other certificate is taken on faith."""
    host, port = URL.removeprefix("https://").split(":")
    pem = ssl.get_server_certificate((host, int(port)))
    key = x509.load_pem_x509_certificate(pem.encode()).public_key()
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(spki).digest()).decode()


def rest(path, who):
    context = ssl.create_default_context(cafile=TOLD["ca_cert"])
    call = urllib.request.Request(f"{URL}/api/v1{path}", headers={"authorization": f"Bearer {TOLD['tokens'][who]}"})
    with urllib.request.urlopen(call, context=context) as answer:
        return json.load(answer)


def glovebox(arguments, who, folder):
    """Runs the command line as one of the demo's people."""
    others = {"GLOVEBOX_PROFILE": str(DEMO_DIR / "demo.json"), "GLOVEBOX_AS": who}
    done = subprocess.run([BINARY, *arguments], cwd=folder, env={**os.environ, **others}, capture_output=True, text=True)
    assert done.returncode == 0, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


class Visit:
    """The tour. Each step is a check of its own and goes on from the one before."""

    def __init__(self, browser, folder):
        self.browser, self.folder, self.job, self.page_digest, self.application = browser, folder, None, None, None

    def look(self, path, picture=None):
        """Opens a page and checks what holds for every page, in both languages and at every width."""
        browser = self.browser
        for language, tag in (("zh", "zh-CN"), ("en", "en")):
            mark = "&" if "?" in path else "?"
            browser.open(f"{URL}{path}{mark}lang={language}")
            assert browser.ask("document.documentElement.lang") == tag
            wrong = browser.ask(ACCESSIBLE)
            assert not wrong, f"{path} {language}: {wrong}"
            # An author's own text on the officer's page may name what it likes.
            text = browser.ask(OUR_WORDS).lower()
            found = [word for word in INTERNALS if word in text]
            assert not found, f"{path} tells of the inside: {found}"
            han = browser.ask("/[\\u4e00-\\u9fff]/.test(document.querySelector('h1').innerText + document.title)")
            assert han or language == "en", f"{path} has no Chinese"
            for width in WIDTHS:
                browser.width(width)
                wide = browser.ask("document.documentElement.scrollWidth")
                assert wide <= width, f"{path} {language}: {wide} pixels wide on a screen of {width}"
                if picture:
                    browser.picture(PICTURES / f"{picture}-{language}-{width}.png", width)
        return browser.text("body")

    def sign_in(self, who):
        browser = self.browser
        browser.open(f"{URL}/sign-in")
        browser.type("#token", TOLD["tokens"][who])
        browser.enter()
        name = browser.text(".me b")
        assert name == who, name
        assert browser.ask("document.cookie") == "", "a script could read a cookie"

    def sign_out(self):
        self.browser.enter(".self form button")
        assert self.browser.ask("location.pathname") == "/sign-in"

    def stranger(self):
        self.look("/sign-in", "sign-in")
        browser = self.browser
        browser.key("Tab")
        assert browser.ask("document.activeElement.className") == "skip", "the first stop is not the way to the content"
        browser.type("#token", "gbx_nonsense")
        browser.enter()
        assert browser.ask("document.querySelector('[role=alert]').innerText.length > 10")
        assert browser.ask("document.querySelector('#token').value") == "", "the token comes back"
        browser.complaints = [text for text in browser.complaints if "401" not in text]

    def analyst(self):
        self.sign_in("analyst")
        assert "example-ai" in self.look("/", "home-analyst")
        assert "medical.rand_hie" in self.look("/datasets", "datasets")
        text = self.look("/datasets/medical.rand_hie", "dataset")
        assert "coinsurance" in text and "made up" in text.lower(), text
        assert "example-ai-rand-hie" in self.look("/budget", "budget-analyst")
        assert "rand-hie-rising" in self.look("/jobs", "jobs-analyst")

    def refused(self):
        browser = self.browser
        assert "role-forbidden" in self.look("/log")
        assert "/log" not in browser.ask("[...document.querySelectorAll('nav a')].map(a => a.getAttribute('href'))")
        self.look("/nothing-here", "not-found")
        browser.complaints = [text for text in browser.complaints if "403" not in text and "404" not in text]

    def submit(self):
        text = (JOB / "job.toml").read_text(encoding="utf-8")
        text = text.replace('name = "rand-hie-rising"', 'name = "browser-rising"').replace("epsilon = 1.0", "epsilon = 0.5")
        (self.folder / "job.toml").write_text(text, encoding="utf-8")
        module = next(JOB.glob("*.wasm"))
        out = glovebox(["job", "submit", "job.toml", str(module), "--format", "json"], "analyst", self.folder)
        self.job = json.loads(out)["job"]
        assert self.job in self.look("/")
        text = self.look(f"/jobs/{self.job}", "job-waiting")
        assert "waits for review" in text and "request approve" not in text, text
        assert not self.browser.ask("!!document.querySelector('#result')")

    def officer(self):
        self.sign_out()
        self.sign_in("officer")
        browser = self.browser
        assert self.job in self.look("/", "home-officer")
        self.look(f"/jobs/{self.job}", "job-review")
        told = json.loads(glovebox(["request", "show", self.job, "--format", "json"], "officer", self.folder))
        read = browser.ask("document.querySelector('pre.sheet').textContent")
        assert read == told["page"], "the page in the browser is not the page that is signed"
        assert told["page_sha256"] in browser.text("#review")
        self.page_digest = told["page_sha256"]
        for path, picture in (("/budget", "budget-officer"), ("/log", "log"), ("/jobs", "jobs-officer")):
            self.look(path, picture)

    def approve(self):
        """Runs the very command that the page shows."""
        browser = self.browser
        browser.open(f"{URL}/jobs/{self.job}")
        commands = browser.texts("#review pre.command")
        approve = next(command for command in commands if " approve " in command)
        words = shlex.split(approve)
        assert words[0] == "glovebox" and self.page_digest in words, approve
        words[words.index("officer.key")] = str(DEMO_DIR / "officer.key")
        glovebox(words[1:], "officer", self.folder)
        text = self.look(f"/jobs/{self.job}")
        assert "approved" in text and "officer" in browser.text("#verdicts")
        assert not browser.texts("#review pre.command"), "the page still asks for a verdict"

    def run(self):
        self.sign_out()
        self.sign_in("analyst")
        text = self.look(f"/jobs/{self.job}", "job-approved")
        command = re.search(r"glovebox (job run \S+ --wait)", text)
        assert command, text
        glovebox(command.group(1).split(), "analyst", self.folder)

    def result(self):
        text = self.look(f"/jobs/{self.job}", "job-result")
        assert "released" in text
        table = rest(f"/jobs/{self.job}/result", "analyst")
        names = [column["name"] for column in table["columns"]]
        units = names.index("units")
        shown = self.browser.ask(
            "[...document.querySelectorAll('#result table')].map(t => [...t.tBodies[0].rows].map(r => [...r.cells].map(c => c.innerText.trim())))"
        )
        assert len(shown) == 2, f"a table for each figure: {shown}"
        for row, line in zip(table["rows"], shown[1], strict=True):
            assert line[0] == row[0] and line[1] == f"{row[units]:,}", (row, line)
            assert line[2] == f"{row[units + 1]:,} … {row[units + 2]:,}", (row, line)
        assert len(self.browser.texts(".files a")) == 4
        self.browser.dark(True)
        self.browser.picture(PICTURES / "job-result-dark.png")
        self.browser.dark(False)
        return f"{len(table['rows'])} keys"

    def apply(self):
        """Goes the way from a dataset's page to an application that waits; what is not filled in is refused with the text kept."""
        browser = self.browser
        browser.open(f"{URL}/datasets/education.yrbss_students?lang=en")
        browser.enter("main a[href^='/applications/new']")
        assert browser.ask("location.pathname + location.search") == "/applications/new?dataset=education.yrbss_students"
        self.look("/applications/new?dataset=education.yrbss_students", "apply")
        browser.enter("main form button")
        assert "application-invalid" in browser.text("[role=alert]"), browser.text("body")
        text = browser.ask("document.querySelector('#application').value")
        assert 'dataset = "education.yrbss_students"' in text and 'why = ""' in text, text
        why = "Which habits go together: 回归系数"
        filled = json.dumps(text.replace('why = ""', f'why = "{why}"'))
        browser.ask(f"(document.querySelector('#application').value = {filled}, true)")
        browser.enter("main form button")
        path = browser.ask("location.pathname")
        assert path.startswith("/applications/a-"), browser.text("body")
        self.application = path.rsplit("/", 1)[1]
        stored = rest(path, "analyst")
        assert stored["why"] == why and stored["status"] == "waiting" and "\r" not in stored["text"], stored
        text = self.look(path, "application-waiting")
        assert "waits for an answer" in text and not browser.ask("!!document.querySelector('#draft')")
        assert self.application in self.look("/applications", "applications-analyst")
        browser.complaints = [text for text in browser.complaints if "400" not in text]

    def answer(self):
        """The officer drafts a contract under another name, runs the very commands that the page shows, and the firm sees it."""
        browser, path = self.browser, f"/applications/{self.application}"
        self.sign_out()
        self.sign_in("officer")
        assert self.application in self.look("/", "home-officer-application")
        self.look(path, "application-officer")
        browser.ask("(document.querySelector('#contract').value = 'browser-yrbss', true)")
        browser.enter("#draft form button")
        draft = browser.ask("document.querySelector('#draft pre.sheet').textContent")
        commands = [shlex.split(command) for command in browser.texts("#draft pre.command")]
        assert [command[:3] for command in commands] == [
            ["glovebox", "application", "draft"], ["glovebox", "contract", "sign"], ["glovebox", "contract", "add"]
        ], commands
        for command in commands:
            words = [str(DEMO_DIR / "officer.key") if word == "officer.key" else word for word in command[1:]]
            glovebox(words, "officer", self.folder)
        assert (self.folder / "contract.toml").read_text(encoding="utf-8") == draft, "the page shows another draft than is fetched"
        assert "granted" in self.look(path) and "browser-yrbss" in browser.text("main")
        self.sign_out()
        self.sign_in("analyst")
        assert "granted" in self.look(path, "application-granted")
        assert "browser-yrbss" in self.look("/budget")

    def auditor(self):
        self.sign_out()
        self.sign_in("auditor")
        self.look("/")
        text = self.look("/log?start=0")
        assert self.job in self.look("/log"), text
        assert "job run" in self.browser.text("table"), "the run is in the log"
        self.sign_out()

    def quiet(self):
        assert not self.browser.complaints, self.browser.complaints

    def at_home(self):
        elsewhere = {url for url in self.browser.requests if not url.startswith((f"{URL}/", "about:"))}
        assert not elsewhere, elsewhere
        return f"{len(self.browser.requests)} requests"


def main():
    checks = Checks("browser")
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        browser = Browser(folder, trusted_key())
        try:
            visit = Visit(browser, folder)
            checks.check("a stranger is asked to sign in, and a wrong token is refused", visit.stranger)
            checks.check("an analyst sees catalogue, samples, budget and jobs", visit.analyst)
            checks.check("pages of other roles and pages that are not there say so", visit.refused)
            checks.check("a job submitted by the command line waits", visit.submit)
            checks.check("an officer reads the page that is signed", visit.officer)
            checks.check("the command on the page approves it", visit.approve)
            checks.check("the analyst sees the approval and runs it", visit.run)
            checks.check("the result page shows the released table", visit.result)
            checks.check("an analyst applies for data", visit.apply)
            checks.check("an officer grants it by the commands on the page", visit.answer)
            checks.check("an auditor finds it in the log", visit.auditor)
            checks.check("no error on the console, no violation of the policy", visit.quiet)
            checks.check("no request to another host", visit.at_home)
        finally:
            browser.close()
    checks.close()


main()

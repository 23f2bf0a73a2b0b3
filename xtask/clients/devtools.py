"""Drives Debian's Chromium over its DevTools protocol: one tab, and what it complains of."""

import base64
import json
import pathlib
import shutil
import subprocess
import time
import urllib.request

from websockets.sync.client import connect

# The names that the browser goes by.
BROWSERS = ("chromium", "chromium-browser", "google-chrome")

# Nothing but the page under test may be asked for, so all that a browser does by itself is switched off.
FLAGS = (
    "--headless", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-extensions", "--disable-default-apps",
    "--hide-scrollbars",
    # Continuous integration runs as root, for whom Chromium has no sandbox. All that it opens is our own server.
    "--no-sandbox",
    "--remote-debugging-port=0",
)

PATIENCE_S = 60


class Browser:
    """A headless Chromium with one tab. Complaints of the page and the addresses that it asked for are kept."""

    def __init__(self, folder, trusted_key):
        """`folder` is for its profile; `trusted_key` is the one public key whose certificates it takes beside the known."""
        program = next(filter(None, map(shutil.which, BROWSERS)), None)
        assert program, "there is no Chromium here; Debian's package is chromium"
        self.requests, self.complaints, self.last, self.loads = [], [], 0, 0
        profile = pathlib.Path(folder) / "profile"
        log = open(pathlib.Path(folder) / "chromium.log", "wb")
        command = [program, *FLAGS, f"--user-data-dir={profile}", f"--ignore-certificate-errors-spki-list={trusted_key}"]
        self.process = subprocess.Popen([*command, "about:blank"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        port = self._port(profile / "DevToolsActivePort")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list") as answer:
            tab = next(target for target in json.load(answer) if target["type"] == "page")
        self.socket = connect(tab["webSocketDebuggerUrl"], max_size=None)
        for domain in ("Page", "Network", "Log", "Runtime", "Audits"):
            self.call(f"{domain}.enable")

    def _port(self, file):
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            assert self.process.poll() is None, "Chromium ended at once; see chromium.log"
            lines = file.read_text().split() if file.exists() else []
            if len(lines) >= 2:
                return lines[0]
            time.sleep(0.05)
        raise AssertionError("Chromium did not say where it listens")

    def call(self, method, **params):
        """One call of the protocol; what happens meanwhile is noted."""
        self.last += 1
        self.socket.send(json.dumps({"id": self.last, "method": method, "params": params}))
        end = time.monotonic() + PATIENCE_S
        while True:
            message = json.loads(self.socket.recv(timeout=max(0.01, end - time.monotonic())))
            if message.get("id") == self.last:
                assert "error" not in message, f"{method}: {message['error']}"
                return message["result"]
            self._note(message)

    def _note(self, message):
        kind, params = message.get("method"), message.get("params", {})
        if kind == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif kind == "Page.loadEventFired":
            self.loads += 1
        elif kind == "Runtime.exceptionThrown":
            self.complaints.append(str(params["exceptionDetails"])[:500])
        elif kind == "Runtime.consoleAPICalled":
            self.complaints.append(str(params["args"])[:500])
        elif kind == "Log.entryAdded" and params["entry"]["level"] in ("warning", "error"):
            self.complaints.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")
        elif kind == "Audits.issueAdded" and params["issue"]["code"] != "PerformanceIssue":
            self.complaints.append(str(params["issue"])[:500])

    def _until_loaded(self, before):
        end = time.monotonic() + PATIENCE_S
        while self.loads <= before:
            assert time.monotonic() < end, "the page does not load"
            self._note(json.loads(self.socket.recv(timeout=PATIENCE_S)))

    def open(self, url):
        before = self.loads
        failed = self.call("Page.navigate", url=url).get("errorText")
        assert not failed, f"{url}: {failed}"
        self._until_loaded(before)

    def ask(self, expression):
        """The value of an expression in the page. It runs beside the page, which itself may run nothing."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def text(self, selector="main"):
        return self.ask(f"document.querySelector({json.dumps(selector)}).innerText")

    def texts(self, selector):
        return self.ask(f"[...document.querySelectorAll({json.dumps(selector)})].map(e => e.innerText.trim())")

    def enter(self, selector=None):
        """Presses Enter where the focus is or is put, as a person without a mouse does, and waits for the page that comes."""
        if selector:
            self.ask(f"document.querySelector({json.dumps(selector)}).focus()")
        before = self.loads
        self.key("Enter", "\r")
        self._until_loaded(before)

    def type(self, selector, text):
        self.ask(f"document.querySelector({json.dumps(selector)}).focus()")
        self.call("Input.insertText", text=text)

    def key(self, key, text=""):
        code = {"Enter": 13, "Tab": 9}[key]
        for kind in ("keyDown", "keyUp"):
            more = {"text": text} if text and kind == "keyDown" else {}
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **more)

    def width(self, width, height=900):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=max(height, 900), deviceScaleFactor=1, mobile=False)

    def dark(self, dark):
        feature = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[feature])

    def picture(self, file, width=1280):
        """The whole page as a PNG, on a screen as high as the page: what is off the screen is not always painted."""
        self.width(width, self.ask("document.documentElement.scrollHeight"))
        png = self.call("Page.captureScreenshot", format="png")["data"]
        self.width(width)
        pathlib.Path(file).write_bytes(base64.b64decode(png))

    def close(self):
        try:
            self.call("Browser.close")
            self.socket.close()
            self.process.wait(timeout=20)
        except Exception:
            self.process.kill()
            self.process.wait()

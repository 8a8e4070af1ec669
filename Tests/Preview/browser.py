"""Headless Chromium, driven over the DevTools protocol through a pipe: no port, and nothing but Python's standard library."""

import base64
import fcntl
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time


class Browser:
    """One Chromium with a profile of its own, which goes with it."""

    def __init__(self, patience=30, *flags):
        self.patience = patience
        self.profile = tempfile.mkdtemp(prefix="frame-preview-chromium-")
        # Chromium reads commands from descriptor 3 and answers on 4, each message ended by a zero byte.
        pipes = [*os.pipe(), *os.pipe()]
        theirs = [fcntl.fcntl(pipes[end], fcntl.F_DUPFD, 60) for end in (0, 3)]
        self.commands, self.answers = pipes[1], pipes[2]
        flags = [
            *flags,
            "--headless=new",
            "--remote-debugging-pipe",
            f"--user-data-dir={self.profile}",
            "--no-first-run",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-extensions",
            "--force-color-profile=srgb",
            "--disable-dev-shm-usage",
            "--no-default-browser-check",
        ]
        if os.geteuid() == 0:
            flags.append("--no-sandbox")  # It refuses to run as root with one.
        self.log = open(os.path.join(self.profile, "log"), "w+b")
        # A shell puts the pipes in their places; exec leaves Chromium alone there.
        self.process = subprocess.Popen(
            [
                "bash",
                "-c",
                'exec 3<&{0} 4>&{1} {0}<&- {1}>&-; exec "$@"'.format(*theirs),
                "bash",
                "chromium",
                *flags,
                "about:blank",
            ],
            pass_fds=theirs,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
        )
        for descriptor in [pipes[0], pipes[3], *theirs]:
            os.close(descriptor)
        self.news = threading.Condition()
        self.results, self.pages, self.last, self.over = {}, {}, 0, False
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        data = b""
        while some := os.read(self.answers, 1 << 20):
            *messages, data = (data + some).split(b"\0")
            for message in map(json.loads, messages):
                with self.news:
                    if "id" in message:
                        self.results[message["id"]] = message
                    elif page := self.pages.get(message.get("sessionId")):
                        page.happened(message["method"], message["params"])
                    self.news.notify_all()
        with self.news:
            self.over = True
            self.news.notify_all()

    def call(self, method, session=None, **parameters):
        with self.news:
            self.last += 1
            number = self.last
        command = {"id": number, "method": method, "params": parameters, **({"sessionId": session} if session else {})}
        data = json.dumps(command).encode() + b"\0"
        while data:
            data = data[os.write(self.commands, data) :]
        with self.news:
            if not self.news.wait_for(lambda: number in self.results or self.over, self.patience) or number not in self.results:
                raise RuntimeError(f"no answer to {method}")
            result = self.results.pop(number)
        if "error" in result:
            raise RuntimeError(f"{method}: {result['error']['message']}")
        return result["result"]

    def open(self, address, before="", loads=True, **size):
        """A page in a tab of its own; `before` is JavaScript that runs before the page's own. What never ends never loads."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        page = Page(self, target, self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"])
        for domain in ["Page", "Runtime", "Log", "Network"]:
            page.call(f"{domain}.enable")
        page.size(**size)
        if before:
            page.call("Page.addScriptToEvaluateOnNewDocument", source=before)
        page.call("Page.navigate", url=address)
        page.until(
            f"location.href === {json.dumps(address)} && (document.readyState === 'complete' || {json.dumps(not loads)})",
            f"{address} is loaded",
        )
        return page

    def downloads(self, folder):
        """Lets pages save files, into this folder."""
        self.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=folder)

    def close(self):
        if self.process.poll() is None:
            try:
                self.call("Browser.close")
                self.process.wait(self.patience)
            except (RuntimeError, OSError, subprocess.TimeoutExpired):
                self.process.kill()
                self.process.wait()
        os.close(self.commands)
        self.log.close()
        shutil.rmtree(self.profile, ignore_errors=True)


class Page:
    """A tab. What goes wrong in it, and what it asks the network for, is kept."""

    def __init__(self, browser, target, session):
        self.browser, self.target, self.session = browser, target, session
        self.errors, self.requests = [], []
        browser.pages[session] = self

    def happened(self, method, event):
        if method == "Runtime.exceptionThrown":
            details = event["exceptionDetails"]
            self.errors.append(details.get("exception", {}).get("description", details["text"]))
        elif method == "Runtime.consoleAPICalled" and event["type"] in ("error", "assert"):
            self.errors.append(str([argument.get("value") for argument in event["args"]]))
        elif method == "Log.entryAdded" and event["entry"]["level"] == "error":
            self.errors.append(event["entry"]["text"] + " " + event["entry"].get("url", ""))
        elif method == "Network.requestWillBeSent":
            self.requests.append(event["request"]["url"])
        elif method == "Network.webSocketCreated":
            self.requests.append(event["url"])

    def call(self, method, **parameters):
        return self.browser.call(method, self.session, **parameters)

    def show(self):
        """Brings it to the front; whatever was there is hidden then."""
        self.browser.call("Target.activateTarget", targetId=self.target)

    def close(self):
        self.browser.call("Target.closeTarget", targetId=self.target)

    def evaluate(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{expression}: {result['exceptionDetails'].get('exception', {}).get('description')}")
        return result["result"].get("value")

    def until(self, expression, what="", limit=None):
        """Waits for an expression to be true, and gives its value."""
        deadline = time.monotonic() + (limit or self.browser.patience)
        while True:
            if value := self.evaluate(expression):
                return value
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what or expression}: not within {limit or self.browser.patience} s")
            time.sleep(0.03)

    def size(self, width=1280, height=800, scale=1, mobile=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=mobile)
        self.call("Emulation.setTouchEmulationEnabled", enabled=mobile)

    def appearance(self, scheme, motion="no-preference"):
        self.call(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": scheme}, {"name": "prefers-reduced-motion", "value": motion}],
        )

    def key(self, key, code=0, text=""):
        for kind in ["keyDown", "keyUp"]:
            self.call(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=key,
                windowsVirtualKeyCode=code,
                **({"text": text} if text and kind == "keyDown" else {}),
            )

    def enter(self):
        self.key("Enter", 13, "\r")

    def tab(self):
        self.key("Tab", 9)

    def escape(self):
        self.key("Escape", 27)

    def click(self, expression):
        """A click in the middle of the element that the expression gives."""
        x, y = self.evaluate(
            f"(() => {{ const element = {expression}; element.scrollIntoView({{ block: 'nearest' }});"
            " const { x, y, width, height } = element.getBoundingClientRect(); return [x + width / 2, y + height / 2]; })()"
        )
        self.point(x, y)
        for kind in ["mousePressed", "mouseReleased"]:
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def point(self, x, y):
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def touch(self, *points):
        """A finger that goes from point to point."""
        for kind, point in zip(["touchStart", *["touchMove"] * (len(points) - 1)], points):
            self.call("Input.dispatchTouchEvent", type=kind, touchPoints=[{"x": point[0], "y": point[1]}])
        self.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    def screenshot(self, **options):
        """As PNG, or as `format` says."""
        return base64.b64decode(self.call("Page.captureScreenshot", **{"format": "png", **options})["data"])

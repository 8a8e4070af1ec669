"""A preview with HTTPS and a token: who sees it, and who does not."""

import base64
import hashlib
import os
import re
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

from browser import Browser
from checks import expect
from page_checks import shows
from programs import PATIENCE, Receiver
from reader_checks import by_others
from sight import js, pattern_to
from tally import check


class ClosedReceiver(Receiver):
    """frame-receive with HTTPS and a token, whose files are in a folder."""

    def __init__(self, binaries, folder, port=0):
        self.folder = folder
        self.certificate, self.token_file = os.path.join(folder, "preview.pem"), os.path.join(folder, "preview.token")
        self.complaints = open(os.path.join(folder, "complaints"), "w+")
        options = ["--preview-tls-file", self.certificate, "--preview-token-file", self.token_file]
        super().__init__(binaries, f"127.0.0.1:{port}", *options, complaints=self.complaints)
        with open(self.token_file) as file:
            self.token = file.read().strip()
        # The certificate is its own authority, and its name is checked.
        self.context = ssl.create_default_context(cafile=self.certificate)

    def link(self):
        """The last link that it printed."""
        deadline = time.monotonic() + PATIENCE
        while True:
            with open(self.complaints.name) as file:
                if links := re.findall(r"sign in, .* by (https://\S+)\n", file.read()):
                    return links[-1]
            if time.monotonic() > deadline:
                raise TimeoutError("no link")
            time.sleep(0.02)

    def status(self, address, **fields):
        request = urllib.request.Request(urllib.parse.urljoin(self.url, address), headers=fields)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE, context=self.context) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    def get(self, address):
        request = urllib.request.Request(
            urllib.parse.urljoin(self.url, address), headers={"Authorization": f"Bearer {self.token}"}
        )
        with urllib.request.urlopen(request, timeout=PATIENCE, context=self.context) as answer:
            return answer.read()

    def address(self, name, ending):
        """With the token as a password, as programs take it that have no field for it."""
        return super().address(name, ending).replace("://", f"://viewer:{self.token}@")

    def key_pin(self):
        """What Chromium knows a certificate by: the SHA-256 of its public key."""
        key = subprocess.run(["openssl", "x509", "-in", self.certificate, "-noout", "-pubkey"], capture_output=True, check=True)
        der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "der"], input=key.stdout, capture_output=True, check=True)
        return base64.b64encode(hashlib.sha256(der.stdout).digest()).decode()


def access(binaries, watch):
    name = "front door"
    with tempfile.TemporaryDirectory() as folder:
        receiver = ClosedReceiver(binaries, folder)
        sender = pattern_to(receiver, name)
        browser = Browser(PATIENCE, f"--ignore-certificate-errors-spki-list={receiver.key_pin()}")
        try:
            expect("it has the stream", lambda: receiver.stream(name) != {})
            for path in ["", "api/streams", "metrics", "stream", "snapshot", "api/live"]:
                check(f"/{path} without the token", receiver.status(path) == 401)
            check("a wrong token", receiver.status("", Authorization="Bearer wrong-token-of-a-guesser") == 401)
            page = signed_in(browser, receiver, name, watch)
            by_others(receiver, name)

            def restart():
                nonlocal receiver, sender
                sender.kill()
                sender.wait()
                receiver.kill()
                receiver = ClosedReceiver(binaries, folder, urllib.parse.urlsplit(receiver.url).port)
                sender = pattern_to(receiver, name)

            before = page.evaluate("seen.pictures.length")
            restart()
            expect("the page is back after a restart", lambda: page.evaluate("seen.pictures.length") > before + 3)
            os.remove(receiver.token_file)
            restart()
            shut_out(page)
        finally:
            for process in [sender, receiver.process]:
                process.kill()
                process.wait()
            browser.close()


def signed_in(browser, receiver, name, watch):
    """A link, its cookie, and the pictures over the WebSocket."""
    link = receiver.link()
    page = browser.open("about:blank", before=watch)
    page.call("Page.navigate", url=link)
    page.until(f"location.href === {js(receiver.url)} && document.readyState === 'complete'", "the link leads to the page")
    check("the code is in no history", page.evaluate("history.length") <= 2, page.evaluate("history.length"))
    check("a script sees no cookie", page.evaluate("document.cookie") == "")
    check("the connection is encrypted", page.evaluate("isSecureContext && location.protocol") == "https:")
    shows(page, receiver, name)
    check("the link is spent", receiver.status(link) == 401)
    check("the cookie holds on a new page", page.evaluate("fetch('/api/streams').then(({ status }) => status)") == 200)
    check("no error in the console", page.errors == [], page.errors)
    return page


def shut_out(page):
    """A browser that was let in by another token."""
    expect(
        "with another token the page says that it is not let in",
        lambda: "sign in" in page.evaluate("document.getElementById('notice').textContent"),
        lambda: page.evaluate("document.getElementById('notice').textContent"),
    )
    check("and reads nothing", page.evaluate("fetch('/api/streams').then(({ status }) => status)") == 401)

"""Drive a headless Chromium through its DevTools protocol: look at screens, take pictures."""

import base64
import contextlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import requests
import websocket

from . import packages
from .console import Problem

DESKTOP = (1440, 900)
PHONE = (390, 844)
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--hide-scrollbars",
    "--mute-audio",
    "--no-first-run",
    "--remote-allow-origins=*",
    "--remote-debugging-port=0",
]
SECONDS_TO_START = 30
LIFE = 1800
# A page is at rest when nothing is loading or blocked, and the web client shows an action.
AT_REST = """
document.readyState === "complete"
    && !document.querySelector(".o_blockUI, .o_loading_indicator")
    && (!document.querySelector("body.o_web_client")
        || document.querySelector(".o_action_manager > *"))
"""
CENTRE = """
(() => {
    const element = document.querySelector(%s);
    element.scrollIntoView({block: "center", inline: "center"});
    const box = element.getBoundingClientRect();
    return [box.x + box.width / 2, box.y + box.height / 2];
})()
"""
VISIBLE = "Boolean(document.querySelector(%s)?.getClientRects().length)"


class Browser:
    """One tab of a fresh Chromium; use it as a context manager.

    Example::

        with Browser() as browser:
            browser.login("http://127.0.0.1:8069")
            browser.goto("http://127.0.0.1:8069/odoo/crm")
            browser.click(".o_kanban_record")
            browser.screenshot("lead.png")

    Selectors are CSS. What waits raises `AssertionError` with a reason when time is up.
    """

    def __init__(self, size=DESKTOP, life=LIFE):
        self.size = size
        self.errors = []
        self._life = life
        self._numbers = itertools.count(1)

    def __enter__(self):
        self._profile = tempfile.mkdtemp(prefix="odoo-sms-chromium-")
        program = packages.ensure(packages.CHROMIUM)["chromium"]
        self._process = subprocess.Popen(
            [str(program), *FLAGS, f"--user-data-dir={self._profile}", "about:blank"],
            env={**os.environ, **packages.fonts()},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=lambda: signal.alarm(self._life),  # noqa: PLW1509 - bounds its life
        )
        self._socket = websocket.create_connection(self._page_address(), timeout=60)
        for domain in ("Page", "Runtime", "Log"):
            self.send(f"{domain}.enable")
        self.resize(*self.size)
        return self

    def __exit__(self, *_):
        self._socket.close()
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._profile, ignore_errors=True)

    # Going places --------------------------------------------------------------------------

    def login(self, url, login="admin", password="admin"):
        """Log in to the Odoo at ``url`` and wait for its web client."""
        self.goto(f"{url}/web/login")
        self.type("input[name=login]", login)
        self.type("input[name=password]", password)
        self.click("button[type=submit]")
        self.wait_for(".o_web_client .o_main_navbar", timeout=60)
        self.rest()

    def goto(self, url):
        """Open an address and wait until the page is at rest."""
        self.send("Page.navigate", url=url)
        self.rest()

    def rest(self, timeout=30):
        """Wait until nothing is loading any more."""
        self.wait_until(AT_REST, timeout, "the page to be at rest")

    def resize(self, width, height):
        """Give the window a size in CSS pixels; a narrow one is a telephone."""
        self.size = (width, height)
        mobile = width <= PHONE[0]
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=mobile,
        )  # fmt: skip
        self.send("Emulation.setTouchEmulationEnabled", enabled=mobile)

    # Looking -------------------------------------------------------------------------------

    def eval(self, expression):
        """Return the value of a JavaScript expression; promises are awaited."""
        result = self.send(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in result:
            raise AssertionError(f"JavaScript: {json.dumps(result['exceptionDetails'])}")
        return result["result"].get("value")

    def text(self, selector):
        """Return the visible text of the first element that matches."""
        self.wait_for(selector)
        return self.eval(f"document.querySelector({json.dumps(selector)}).innerText")

    def count(self, selector):
        """Return how many elements match."""
        return self.eval(f"document.querySelectorAll({json.dumps(selector)}).length")

    def wait_for(self, selector, timeout=30):
        """Wait until an element that matches is visible."""
        self.wait_until(VISIBLE % json.dumps(selector), timeout, selector)

    def wait_until(self, expression, timeout=30, what=None):
        """Wait until a JavaScript expression is true."""
        deadline = time.monotonic() + timeout
        while not self._is_true(expression):
            if time.monotonic() > deadline:
                raise AssertionError(f"Not within {timeout} s: {what or expression}")
            time.sleep(0.05)

    def screenshot(self, path, selector=None):
        """Write a PNG of the window, or of one element."""
        self.rest()
        options = {"clip": self._clip(selector)} if selector else {}
        data = self.send("Page.captureScreenshot", format="png", **options)["data"]
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(data))
        return path

    # Acting --------------------------------------------------------------------------------

    def click(self, selector):
        """Click the middle of the first element that matches, like a person with a mouse."""
        self.wait_for(selector)
        x, y = self.eval(CENTRE % json.dumps(selector))
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def type(self, selector, text):
        """Click an input and type over what it holds."""
        self.click(selector)
        self.eval(f"document.querySelector({json.dumps(selector)}).select?.()")
        self.send("Input.insertText", text=text)

    def press(self, key, code=None):
        """Press one key, e.g. ``Enter`` or ``Escape``."""
        text = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=kind, key=key, code=code or key, **text)

    # The protocol --------------------------------------------------------------------------

    def send(self, method, **parameters):
        """Send a command of the DevTools protocol; return its result."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv())
            if message.get("id") == number:
                if "error" in message:
                    raise AssertionError(f"{method}: {message['error']['message']}")
                return message["result"]
            self._notice(message)

    def _notice(self, message):
        """Remember what the page complained about; answer its dialogs with yes."""
        method, parameters = message.get("method"), message.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.errors.append(parameters["exceptionDetails"]["text"])
        elif method == "Runtime.consoleAPICalled" and parameters["type"] == "error":
            self.errors.append(" ".join(str(arg.get("value")) for arg in parameters["args"]))
        elif method == "Page.javascriptDialogOpening":
            command = {"id": 0, "method": "Page.handleJavaScriptDialog", "params": {"accept": True}}
            self._socket.send(json.dumps(command))

    def _is_true(self, expression):
        with contextlib.suppress(AssertionError):  # the page may be changing under our feet
            return self.eval(f"Boolean({expression})")
        return False

    def _clip(self, selector):
        self.wait_for(selector)
        box = f"document.querySelector({json.dumps(selector)}).getBoundingClientRect().toJSON()"
        rectangle = self.eval(box)
        return {**{key: rectangle[key] for key in ("x", "y", "width", "height")}, "scale": 1}

    def _page_address(self):
        """Return the address of the tab's DevTools socket once Chromium has written its port."""
        port_file = Path(self._profile) / "DevToolsActivePort"
        deadline = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < deadline:
            # the file is there before its content, and the port before the page
            with contextlib.suppress(OSError, ValueError, IndexError, StopIteration):
                port = int(port_file.read_text().split()[0])
                pages = requests.get(f"http://127.0.0.1:{port}/json", timeout=5).json()
                return next(p["webSocketDebuggerUrl"] for p in pages if p["type"] == "page")
            time.sleep(0.05)
        raise Problem("Chromium did not start.")

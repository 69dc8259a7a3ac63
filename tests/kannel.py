"""A real Kannel on loopback, and the carriers behind it, which the stories play.

Example::

    with HttpCarrier() as carrier, Kannel(folder, carrier, get_url=url) as kannel:
        requests.get(kannel.sendsms_url, params={...})
        (text,) = carrier.texts
        carrier.report(text, DELIVERED)
        carrier.deliver("+46701234567", "12345", "Yes")

Kannel runs with the configuration that the addon's README tells people to paste, so that what
is proved is what they get.
"""

import asyncio
import contextlib
import itertools
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.parse
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import requests
import smpp34
from harness import wait_for

from devtools.odoo import free_port

README = Path(__file__).parent.parent / "sms_gateway_kannel" / "README.md"

#: Types of a delivery report, as in Kannel's dlr-mask.
DELIVERED, FAILED, BUFFERED, ACCEPTED, REJECTED = 1, 2, 4, 8, 16

SECONDS_TO_START = 15
SECONDS_TO_STOP = 5


@dataclass(frozen=True)
class CarrierText:
    """A text as the carrier received it, put together again if it came in parts.

    ``reference`` is what the carrier names it by in reports, ``wants_report`` whether Kannel
    asked for one.
    """

    sender: str
    number: str
    body: str
    reference: str
    parts: int = 1
    wants_report: bool = True


@dataclass(frozen=True)
class Part:
    """One part of a text on the air.

    ``data`` is in ``charset`` and may begin or end within a character: Kannel splits where 140
    bytes are full. ``header`` is the user data header, maybe empty.
    """

    sender: str
    number: str
    data: bytes
    charset: str
    reference: str
    header: bytes = b""
    wants_report: bool = True

    @property
    def whole(self):
        """What is equal in all parts of one text, and how many there are."""
        if self.header[1:2] != b"\x00":  # no concatenation (3GPP TS 23.040 §9.2.3.24.1)
            return self.reference, 1
        return (self.sender, self.number, self.header[3]), self.header[4]

    @property
    def position(self):
        return self.header[5] if self.header else 1


def join_parts(parts):
    """Return the texts of which all parts are there, in order of their first part."""
    wholes = {}
    for part in parts:
        wholes.setdefault(part.whole, []).append(part)
    return [
        _join(sorted(found, key=lambda part: part.position))
        for (_key, count), found in wholes.items()
        if len(found) == count
    ]


def _join(parts):
    first = parts[0]
    data = b"".join(part.data for part in parts)
    body = decode_gsm7(data) if first.charset == GSM7 else data.decode(first.charset)
    return CarrierText(
        first.sender, first.number, body, first.reference, len(parts), first.wants_report
    )


# Kannel -----------------------------------------------------------------------------------


class Kannel:
    """Bearerbox and smsbox; use it as a context manager.

    :param Path folder: for configuration, store and logs
    :param carrier: started; gives the group ``smsc``
    :param str get_url: where Kannel brings texts, with its escapes
    :param int life: seconds after which the kernel ends both, whatever became of the story
    :param options: overrides of the README's configuration, ``_`` for ``-`` in their names
    """

    username = "odoo"
    password = "pässword & %more"

    def __init__(self, folder, carrier, get_url, life=600, **options):
        self.folder = Path(folder)
        self.carrier = carrier
        self.options = {
            "get-url": f'"{get_url}"',
            "password": f'"{self.password}"',
            "http-queue-delay": 1,
            "store-location": f'"{self._make_folder("store")}"',
            "dlr-spool": f'"{self._make_folder("dlr")}"',
            **{name.replace("_", "-"): value for name, value in options.items()},
        }
        for name in ("admin-port", "smsbox-port", "sendsms-port"):
            self.options[name] = free_port()
        self.config = self.folder / "kannel.conf"
        self.config.write_text(self._configuration())
        self._life = life
        self._boxes = []

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.options['sendsms-port']}"

    @property
    def sendsms_url(self):
        return f"{self.url}/cgi-bin/sendsms"

    def start(self):
        """Start both boxes, and return when texts can be sent and received."""
        self._start_box("bearerbox", self.options["admin-port"])
        self._start_box("smsbox", self.options["sendsms-port"])
        self.carrier.attach()
        return self

    def stop(self):
        """Stop both boxes, smsbox first; they keep what the store keeps."""
        self.carrier.detach()
        while self._boxes:
            _stop_process(self._boxes.pop())

    def kill(self):
        """End both at once, as a power cut would."""
        self.carrier.detach()
        while self._boxes:
            self._boxes[-1].kill()
            self._boxes.pop().wait()

    def log_text(self):
        """Return what both boxes have logged, over all their starts."""
        return "".join(path.read_text(errors="replace") for path in self.folder.glob("*.log"))

    def _make_folder(self, name):
        (self.folder / name).mkdir(parents=True, exist_ok=True)
        return self.folder / name

    def _configuration(self):
        """The configuration in the README, with our own ports, folders and carrier."""
        blocks = re.findall("```ini\n(group = core\n.*?)```", README.read_text(), re.DOTALL)
        groups = blocks[0].strip().split("\n\n")
        groups = [self._fill(group) for group in groups if not group.startswith("group = smsc\n")]
        return "\n\n".join([*groups, self.carrier.smsc_group()]) + "\n"

    def _fill(self, group):
        lines = [line for line in group.splitlines() if not line.startswith("log-file")]
        return "\n".join(self._fill_line(*line.split(" = ", 1)) for line in lines)

    def _fill_line(self, name, value):
        return f"{name} = {self.options.get(name, value)}"

    def _start_box(self, name, port):
        program = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
        with open(self.folder / f"{name}.log", "a") as log:
            process = subprocess.Popen(
                [program, str(self.config)],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=lambda: signal.alarm(self._life),  # noqa: PLW1509 - survives exec
            )
        self._boxes.append(process)
        wait_for(lambda: _answers(port), SECONDS_TO_START, self.log_text)


def _answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _stop_process(process):
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(SECONDS_TO_STOP)
    process.kill()
    process.wait()


# Carriers ---------------------------------------------------------------------------------


class Carrier:
    """What the carriers have in common: they keep the parts they received."""

    def __init__(self):
        self.parts = []
        self.port = free_port()

    @property
    def texts(self):
        """The texts received so far."""
        return join_parts(list(self.parts))

    def wait_for_texts(self, count, timeout=30):
        """Return the texts once there are ``count`` of them; fail if there are more."""
        texts = wait_for(
            lambda: len(self.texts) >= count and self.texts,
            timeout,
            lambda: f"{count} texts at the carrier: {self.texts}",
        )
        assert len(texts) == count, texts
        return texts

    def attach(self):
        """Called when Kannel runs."""
        wait_for(lambda: _answers(self.port), SECONDS_TO_START, "Kannel's carrier port")

    def detach(self):
        """Called before Kannel stops."""


class HttpCarrier(Carrier):
    """A carrier that Kannel reaches by HTTP; gives reports of every kind, when told.

    :param answer: what it says to a `Part`; ``0: Accepted for delivery`` takes it, all else
        refuses it in these words
    """

    group = """\
group = smsc
smsc = http
smsc-id = HTTP
system-type = kannel
send-url = "http://127.0.0.1:{server_port}/mt"
port = {port}
connect-allow-ip = "127.0.0.1"
smsc-username = carrier
smsc-password = carrier
dlr-url = "http://127.0.0.1:{port}/\""""

    def __init__(self, answer=lambda part: "0: Accepted for delivery"):
        super().__init__()
        self.answer = answer
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._make_handler())
        self._server.daemon_threads = True

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=[0.05], daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def smsc_group(self):
        return self.group.format(server_port=self._server.server_port, port=self.port)

    def report(self, text, kind, words=""):
        """Tell Kannel what became of a text."""
        values = {"to": text.number, "dlr-mid": text.reference, "dlr-mask": kind, "text": words}
        self._call(values)

    def deliver(self, number, address, body):
        """Bring a text from a customer to one of our addresses."""
        self._call({"from": number, "to": address, "text": body})

    def _call(self, values):
        parameters = {"username": "carrier", "password": "carrier", **values}
        answer = requests.get(f"http://127.0.0.1:{self.port}/", params=parameters, timeout=10)
        assert answer.status_code == 202, answer.text

    def _make_handler(carrier):  # noqa: N805 - self is the handler's, below
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                part = _read_part(urllib.parse.urlsplit(self.path).query)
                answer = carrier.answer(part).encode()
                if answer.startswith(b"0:"):
                    carrier.parts.append(part)
                self.send_response(202)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        return Handler


def _read_part(query):
    """Read a part from Kannel's request; the text is in the charset it names."""
    pairs = urllib.parse.parse_qsl(query, keep_blank_values=True, encoding="latin-1")
    values = {name: value.encode("latin-1") for name, value in pairs}
    reference = re.search(r"dlr-mid=([0-9a-f-]+)", values["dlr-url"].decode())
    return Part(
        sender=values["from"].decode(),
        number=values["to"].decode(),
        data=values["text"],
        charset=values["charset"].decode(),
        reference=reference[1],
        header=values.get("udh", b""),
        wants_report="dlr-mask" in values,
    )


class SmppCarrier(Carrier):
    """An operator's SMSC: SMPP 3.4, the alphabets of the air, receipts as operators write them.

    :param answer: what it says to a `Part`: None takes it, an SMPP command status refuses it
    """

    group = """\
group = smsc
smsc = smpp
smsc-id = SMPP
host = 127.0.0.1
port = {port}
smsc-username = carrier
smsc-password = carrier
system-type = ""
interface-version = 34
transceiver-mode = true
source-addr-autodetect = true
dest-addr-ton = 1
dest-addr-npi = 1
reconnect-delay = 1"""

    def __init__(self, answer=lambda part: None):
        super().__init__()
        self.answer = answer
        self._sessions = {}
        self._joined = itertools.count(1)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self):
        self._thread.start()
        self._server = smpp34.Server("127.0.0.1", self.port, system_id="carrier")
        self._call(self._server.start)
        asyncio.run_coroutine_threadsafe(self._serve(), self._loop)
        return self

    def __exit__(self, *_):
        self._call(self._server.stop)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def smsc_group(self):
        return self.group.format(port=self.port)

    def attach(self):
        wait_for(lambda: self._sessions, SECONDS_TO_START, "Kannel's bind")

    def detach(self):
        """An orderly unbind by the operator; Kannel would take its time."""
        for session in list(self._sessions.values()):
            with contextlib.suppress(Exception):
                self._call(session.unbind)
        self._sessions.clear()

    def report(self, text, state, error="000"):
        """Send a receipt, e.g. ``DELIVRD`` or ``UNDELIV`` with the operator's error."""
        now = time.strftime("%y%m%d%H%M")
        delivered = "001" if state == "DELIVRD" else "000"
        receipt = (
            f"id:{text.reference} sub:001 dlvrd:{delivered} submit date:{now} done date:{now} "
            f"stat:{state} err:{error} text:{text.body[:20]}"
        )
        self._push(text.number, text.sender, receipt.encode(), esm_class=0x04)

    def deliver(self, number, address, body):
        """Bring a text from a customer, in the alphabet it needs and in as many parts."""
        coding, data = encode(body)
        for part, header in split(data, coding, next(self._joined)):
            esm_class = 0x40 if header else 0
            self._push(number, address, header + part, data_coding=coding, esm_class=esm_class)

    def _push(self, number, address, message, **options):
        session = list(self._sessions.values())[-1]
        source = {"source_addr": number.removeprefix("+"), "source_addr_ton": 1}
        answer = self._call(session.deliver_sm, address, message, **source, **options)
        assert answer.is_success, answer.command_status

    def _call(self, function, *args, **kwargs):
        """Await a function of smpp34 in the carrier's own loop."""

        async def run():
            return await function(*args, **kwargs)

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(30)

    async def _serve(self):
        while True:
            event = await self._server.next()
            if isinstance(event, smpp34.Esme):
                self._sessions[event.session_id] = event
            elif isinstance(event, smpp34.SubmitSmEvent):
                self._take(event)
            else:
                self._sessions.pop(event.session_id, None)

    def _take(self, event):
        part = self._read_part(event)
        if status := self.answer(part):
            event.reject(status)
            return
        self.parts.append(part)
        event.accept(part.reference)

    def _read_part(self, event):
        message = bytes(event.short_message)
        header_length = message[0] + 1 if event.esm_class & 0x40 else 0
        plus = "+" if event.dest_addr_ton == 1 else ""
        return Part(
            sender=event.source_addr,
            number=plus + event.destination_addr.removeprefix("+"),
            data=message[header_length:],
            charset=CHARSETS[event.data_coding],
            reference=str(1001 + len(self.parts)),
            header=message[:header_length],
            wants_report=bool(event.registered_delivery & 1),
        )


# Alphabets of the air ---------------------------------------------------------------------

GSM7 = "gsm7"
CHARSETS = {0: GSM7, 8: "utf-16-be"}  # by SMPP's data coding
GSM7_ALPHABET = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM7_EXTENSION = {"^": 20, "{": 40, "}": 41, "\\": 47, "[": 60, "~": 61, "]": 62, "|": 64, "€": 101}


def encode(text):
    """Return the SMPP data coding that the text needs, and its bytes in it."""
    try:
        return 0, b"".join(_encode_gsm7(char) for char in text)
    except ValueError:
        return 8, text.encode("utf-16-be")


def _encode_gsm7(char):
    if char in GSM7_EXTENSION:
        return bytes([27, GSM7_EXTENSION[char]])
    return bytes([GSM7_ALPHABET.index(char)])


def decode_gsm7(data):
    """Return the text of bytes in the default alphabet."""
    extension = {code: char for char, code in GSM7_EXTENSION.items()}
    codes = iter(data)
    return "".join(extension[next(codes)] if code == 27 else GSM7_ALPHABET[code] for code in codes)


def split(data, coding, reference):
    """Return (part, header) of a text, without header where one part is enough."""
    single, size = (140, 134) if coding else (160, 153)
    if len(data) <= single:
        return [(data, b"")]
    parts = [data[start : start + size] for start in range(0, len(data), size)]
    header = bytes([5, 0, 3, reference % 256, len(parts)])
    return [(part, header + bytes([number])) for number, part in enumerate(parts, 1)]

import contextlib
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from unittest.mock import patch

from urllib3.util.connection import is_connection_dropped

from odoo.tests import BaseCase, tagged
from odoo.tests.common import _super_send

from odoo.addons.sms_gateway.engine import transport
from odoo.addons.sms_gateway.engine.contract import SendRequest
from odoo.addons.sms_gateway.engine.transport import NoAnswer, NotSent

OK = b"HTTP/1.1 200 OK\r\nX-Told: yes\r\nContent-Length: 2\r\n\r\nok"


class Peer:
    """A server that answers the connections it gets, one after another, as told.

    :param answers: for each connection a list of what to send after each request; an empty
        answer closes the connection instead
    """

    def __init__(self, *answers, tls=None):
        self.answers = answers
        self.tls = tls
        self.requests = []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.socket.getsockname()[1]}"
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.socket.close()

    def serve(self):
        for answers in self.answers:
            with contextlib.suppress(OSError):
                connection = self.socket.accept()[0]
                connection.settimeout(10)
                with (
                    self.tls.wrap_socket(connection, server_side=True)
                    if self.tls
                    else connection as c
                ):
                    self.serve_connection(c, answers)

    def serve_connection(self, connection, answers):
        for answer in answers:
            received = connection.recv(65536)
            while received and not self.is_whole(received):
                received += connection.recv(65536)
            self.requests.append(received)
            if not received or not answer:
                return
            connection.sendall(answer)

    def is_whole(self, received):
        head, found, body = received.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        return found and len(body) >= int(length or 0)


@tagged("post_install", "-at_install")
class TestTransport(BaseCase):
    """The network edge, against real sockets on loopback."""

    @classmethod
    def _request_handler(cls, session, request, /, **options):
        """Odoo's tests let no request out; these are about just that."""
        return _super_send(session, request, **options)

    def perform(self, peer, *requests, **values):
        """Perform requests with one session; returns the last response."""
        with transport.make_session(2) as session:
            for _count in range(len(requests) or 1):
                response = transport.perform(session, self.request(peer, **values))
        return response

    def request(self, peer, **values):
        return SendRequest(
            **{"uuids": ("a",), "method": "POST", "url": f"{peer.url}/send", **values}
        )

    def test_an_answer_is_read_whole(self):
        with Peer([OK]) as peer:
            response = self.perform(peer, json={"text": "å"}, auth=("user", "pass"))
        self.assertEqual(
            (response.status, response.body, response.headers["x-told"]), (200, b"ok", "yes")
        )
        head, _, body = peer.requests[0].partition(b"\r\n\r\n")
        self.assertEqual(body, b'{"text": "\\u00e5"}')
        self.assertIn(b"Authorization: Basic dXNlcjpwYXNz", head)
        self.assertIn(b"Content-Type: application/json", head)

    def test_forms_and_parameters(self):
        with Peer([OK]) as peer:
            self.perform(peer, params={"a": "b c", "none": None}, data={"to": "+47", "none": None})
        self.assertTrue(peer.requests[0].startswith(b"POST /send?a=b+c HTTP/1.1\r\n"))
        self.assertTrue(peer.requests[0].endswith(b"\r\n\r\nto=%2B47"))

    def test_a_chunked_answer_and_one_that_ends_with_the_connection(self):
        chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
        with Peer([chunked, OK]) as peer, transport.make_session(1) as session:
            self.assertEqual(transport.perform(session, self.request(peer)).body, b"ok")
            self.assertEqual(transport.perform(session, self.request(peer)).body, b"ok")
        with Peer([b"HTTP/1.0 200 OK\r\n\r\nok"]) as peer:
            self.assertEqual(self.perform(peer).body, b"ok")

    def test_a_redirection_is_an_answer(self):
        """Followed, it would send a text twice or to somebody else."""
        with Peer([b"HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n"]) as peer:
            self.assertEqual(self.perform(peer).status, 302)
        self.assertEqual(len(peer.requests), 1)

    def test_connections_are_kept(self):
        with Peer([OK, OK, OK]) as peer, transport.make_session(1) as session:
            for _count in range(3):
                transport.perform(session, self.request(peer))
        self.assertEqual(len(peer.requests), 3)

    def test_a_connection_closed_while_idle_is_not_used_again(self):
        with Peer([OK], [OK]) as peer, transport.make_session(1) as session:
            transport.perform(session, self.request(peer))
            pools = session.get_adapter(peer.url).poolmanager.pools
            (idle,) = filter(None, pools[min(pools.keys())].pool.queue)
            while not is_connection_dropped(idle):
                time.sleep(0.01)
            transport.perform(session, self.request(peer))
        self.assertEqual(len(peer.requests), 2)

    def test_no_connection_is_not_sent(self):
        with Peer() as peer:
            pass
        with self.assertRaisesRegex(NotSent, "NewConnectionError"):
            self.perform(peer)

    def test_an_unknown_host_is_not_sent_and_the_error_keeps_the_secret(self):
        with self.assertRaises(NotSent) as caught, transport.make_session(1) as session:
            transport.perform(
                session, SendRequest((), "GET", "http://user:secret@nowhere.invalid/")
            )
        self.assertNotIn("secret", str(caught.exception))

    def test_what_cannot_be_written_down_is_not_sent(self):
        with Peer([OK], [OK], [OK]) as peer:
            for values in (
                {"url": "ftp://127.0.0.1/"},
                {"headers": {"X-To": "+47\r\nX-Injected: 1"}},
                {"headers": {"X-To": "ł"}},
                {"method": "POST\r\nX-Injected: 1"},
            ):
                with self.subTest(values), self.assertRaises(NotSent):
                    self.perform(peer, **values)
        self.assertFalse(any(peer.requests))

    def test_a_certificate_nobody_vouches_for_is_not_sent(self):
        with tempfile.TemporaryDirectory() as folder:
            key, certificate = Path(folder, "key"), Path(folder, "certificate")
            subprocess.run(
                [
                    *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
                    *("-subj", "/CN=127.0.0.1", "-keyout", key, "-out", certificate),
                ],
                check=True,
                capture_output=True,
            )
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(certificate, key)
        with Peer([OK], tls=tls) as peer, self.assertRaisesRegex(NotSent, "SSLError"):
            self.perform(peer)
        self.assertFalse(peer.requests)

    def test_a_lost_answer_is_no_answer(self):
        cut_off = b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nok"
        for answer in (b"", b"HTTP/1.1 2", b"nonsense\r\n\r\n", cut_off):
            with self.subTest(answer), Peer([answer]) as peer, self.assertRaises(NoAnswer):
                self.perform(peer)

    def test_an_endless_answer_is_no_answer(self):
        endless = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n" + bytes(2000)
        with Peer([endless]) as peer, patch.object(transport, "MAX_ANSWER", 1000):
            with self.assertRaises(NoAnswer):
                self.perform(peer)

    def test_a_slow_answer_is_no_answer(self):
        with Peer() as peer, patch.object(transport, "TIMEOUT", (5, 0.2)):
            with self.assertRaisesRegex(NoAnswer, "no answer within the time limit"):
                self.perform(peer)  # the connection is accepted by the system, by nobody else

    def test_many_at_a_time(self):
        """Each outcome comes back once, with its request and key."""
        answers = {"refused": NotSent("no"), "lost": NoAnswer("no"), "odd": KeyError("secret")}

        def perform(session, request):
            if error := answers.get(request.url):
                raise error
            return request.url

        with (
            self.assertLogs("odoo.addons.sms_gateway.engine.transport", "ERROR"),
            patch.object(transport, "perform", perform),
            transport.Transport() as edge,
        ):
            for url in ("fine", *answers):
                edge.submit("key", 1, SendRequest((url,), "POST", url))
            self.assertEqual((edge.in_flight, edge.count("key")), (4, 4))
            outcomes = {}
            while edge.in_flight:
                outcomes.update((r.url, o) for _key, r, o in edge.collect(timeout=10))
            self.assertEqual(edge.collect(timeout=10), [], "nothing under way, nothing to wait for")
        self.assertEqual(outcomes["fine"], "fine")
        self.assertIs(outcomes["refused"], answers["refused"])
        self.assertIs(outcomes["lost"], answers["lost"])
        self.assertEqual((type(outcomes["odd"]), str(outcomes["odd"])), (NoAnswer, "KeyError"))

"""HTTPS: the certificate is checked against the name in the URL, which is also the SNI."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from urllib3.connection import HTTPSConnection

from signal_bridge.delivery.webhooks.addresses import Rules
from signal_bridge.delivery.webhooks.post import Poster
from signal_bridge.delivery.webhooks.urllib3_parts import shut_down
from tests.support.parts import part_missing
from tests.webhooks.receiver import Receiver
from tests.webhooks.test_post import BODY, webhook


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for bot.test that nobody trusts, and its key."""
    if shutil.which("openssl") is None:
        part_missing("there is no openssl to make a certificate with")
    certificate, key = tmp_path / "certificate", tmp_path / "key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-keyout", key, "-out", certificate, "-subj", "/CN=bot.test",
         "-addext", "subjectAltName=DNS:bot.test"],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate, key


class Secure:
    """A receiver behind TLS. `names` are the server names that clients asked for."""

    def __init__(self, receiver: Receiver, certificate: Path, key: Path) -> None:
        self.names: list[str | None] = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        context.sni_callback = lambda _, name, __: self.names.append(name)
        self._context, self._receiver = context, receiver
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                secured = self._context.wrap_socket(client, server_side=True)
            except ssl.SSLError:  # the client does not trust us
                continue
            except OSError:
                return
            threading.Thread(target=self._pipe, args=(secured,), daemon=True).start()

    def _pipe(self, client: ssl.SSLSocket) -> None:
        """Each request goes to the plain receiver, and its answer back."""
        with client, socket.create_connection(("127.0.0.1", self._receiver.port)) as plain:
            while data := client.recv(65536):
                plain.sendall(data)
                client.sendall(plain.recv(65536))

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def secure(
    receiver: Receiver, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Secure]:
    """`*.test` is this receiver."""
    real = socket.getaddrinfo

    def resolve(host: str, *arguments: Any, **options: Any) -> Any:
        return real("127.0.0.1" if host.endswith(".test") else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    secure = Secure(receiver, *certificate)
    yield secure
    secure.close()


def test_a_certificate_nobody_trusts_is_refused(secure: Secure, receiver: Receiver) -> None:
    attempt = Poster(Rules()).post(webhook(f"https://bot.test:{secure.port}/"), "evt_1", BODY)
    assert attempt.status == 0
    assert "certificate verify failed" in attempt.error
    assert receiver.posts == []


def test_a_trusted_certificate_must_be_for_the_name(
    secure: Secure,
    receiver: Receiver,
    certificate: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(certificate[0]))
    poster = Poster(Rules())
    for _ in range(2):
        attempt = poster.post(webhook(f"https://bot.test:{secure.port}/"), "evt_1", BODY)
        assert (attempt.status, attempt.error) == (204, "")
    assert len({post.client_port for post in receiver.posts}) == 1
    other = poster.post(webhook(f"https://other.test:{secure.port}/"), "evt_1", BODY)
    assert "Hostname mismatch" in other.error
    assert secure.names == ["bot.test", "other.test"]
    poster.close()


def test_a_connection_that_is_shut_down_keeps_its_state_of_tls(secure: Secure) -> None:
    connection = HTTPSConnection("127.0.0.1", secure.port, cert_reqs="CERT_NONE")
    connection.connect()
    shut_down(connection)
    assert isinstance(connection.sock, ssl.SSLSocket)
    assert connection.sock.version()  # the thread that waits on it may be in the middle of it
    connection.close()

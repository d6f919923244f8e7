"""Receives webhooks, checks their signature, prints messages. Standard library only.

    python examples/webhook_receiver.py 9000 whsec_…

The secret is shown once, in the answer to `POST /v1/receive/{number} {"webhook": "http://…"}`.
"""

import base64
import hashlib
import hmac
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SEEN: set[str] = set()


def is_genuine(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """Standard Webhooks: HMAC-SHA256 over id, timestamp and body; one of several may fit."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    return any(hmac.compare_digest(expected, one) for one in headers["webhook-signature"].split())


class Receiver(BaseHTTPRequestHandler):
    secret = ""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        if self.secret and not is_genuine(self.secret, headers, body):
            self.send_response(401)
            self.end_headers()
            return
        self.send_response(204)  # answer first, work later: a slow answer is tried again
        self.end_headers()
        if headers["webhook-id"] not in SEEN:  # the same event may come twice
            SEEN.add(headers["webhook-id"])
            event = json.loads(body)
            message = event.get("envelope", {}).get("dataMessage", {}).get("message")
            print(event.get("account"), event.get("seq"), message, flush=True)


if __name__ == "__main__":
    Receiver.secret = sys.argv[2] if len(sys.argv) > 2 else ""
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()

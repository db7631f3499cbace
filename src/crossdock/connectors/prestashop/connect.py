"""The shop's address and its webservice key, and the connection test: rights are tried with calls that change nothing,
and the shop's own statuses, currency and time zone are read.
"""

from collections.abc import Awaitable, Mapping
from zoneinfo import available_timezones

from crossdock.connectors.prestashop.client import FACTS, Client
from crossdock.connectors.prestashop.manifest import MANIFEST
from crossdock.connectors.prestashop.mapper import older
from crossdock.domain.currencies import CURRENCIES
from crossdock.kit import text
from crossdock.kit.connector import Check, Proof
from crossdock.kit.errors import Declined, NoAnswer, NotAllowed
from crossdock.kit.json_node import Node, flag
from crossdock.kit.shop import addresses
from crossdock.kit.shop.base import allowed, checked, of_its_server, typed_in
from crossdock.kit.shop.mapping import that_hold

TICK = "Tick {} for the key in Advanced Parameters > Webservice."
# Where a resource needs one right alone, that it is listed for the key says so.
TRIED = ("GET orders", "POST orders", "PUT orders", "PUT order_details", "PUT order_carriers")
RIGHTS, TICKS, CHOSEN = (FACTS[name] for name in ("rights", "ticks", "chosen"))
STATES = ("paid", "canceled", "error", "shipping", "preparation")
# In 1.7.6.0 and 1.7.6.1 an order at another price is called paid, and has taken no units (PrestaShop #15834).
OLDEST = (1, 7, 6, 2)
SEVERAL = "Your PrestaShop has several shops: name one by its number (Advanced Parameters > Multistore)."
NO_SHOP = "Your PrestaShop has no shop of this number (Advanced Parameters > Multistore)."
NO_ZONE = "We do not know the time zone of your shop; set it in International > Localization."
NOT_LOGABLE = (
    "Tick “Consider the associated order as validated” at the order status “Remote payment accepted”: without it your"
    " shop takes no units for our orders."
)
NO_COUNTS = "Switch on Shop Parameters > Product Settings > Enable stock management: your shop has no counts."


address = addresses.typed_in(keep="key", pages=("/api", "/index.php"))
finish = typed_in(MANIFEST)


async def prove(client: Client) -> Proof:
    """Raises AuthDead when the key is refused."""
    shop = await _shop(client)
    if isinstance(shop, str):
        return Proof("", "", "", (Check(True, "Sign-in"), Check(False, "Shop", shop)))
    settings, odd = await _settings(client, shop)
    counted = settings["counts"] == "1"
    checks = [
        Check(True, "Sign-in"),
        checked(not odd, "Settings", odd),
        *await _rights(client),
        Check(counted, "Stock", "" if counted else NO_COUNTS, limited=True),
    ]
    name = text.label(shop.text("name"), 200)
    return of_its_server(client.shop, settings["shop"], name, checks, settings, settings["currency"])


async def look(client: Client) -> Proof:
    shop = await _shop(client)
    if isinstance(shop, str):
        raise NoAnswer(shop)
    settings, odd = await _settings(client, shop)
    if not settings["currency"]:
        raise NoAnswer(odd)
    return Proof("", "", settings["currency"], (checked(not odd, "Settings", odd),), settings)


async def _shop(client: Client) -> Node | str:
    """Or why it is not known which."""
    wanted = client.shop.secrets.get("id_shop", "")
    rows = (await client.rows("shops", display="[id,id_shop_group,name,active]")).items
    found = [row for row in rows if flag(row.raw("active")) is not False and (not wanted or row.id("id") == wanted)]
    return found[0] if len(found) == 1 else SEVERAL if found else NO_SHOP


async def _settings(client: Client, shop: Node) -> tuple[dict[str, str], str]:
    """What the shop has chosen, and what stands against selling with it."""
    names = {"filter[name]": f"[{'|'.join(CHOSEN)}]"}
    rows = (await client.rows("configurations", names, display="[name,value,id_shop]")).items
    chosen = dict.fromkeys(CHOSEN.values(), "")
    # A shop's own value stands beside the one for all shops, which names no shop.
    for row in sorted(rows, key=lambda row: row.text("id_shop") not in ("", "0")):
        if row.text("id_shop") in ("", "0", shop.id("id")) and row.text("name") in CHOSEN:
            chosen[CHOSEN[row.text("name")]] = row.text("value")[:60]
    countries = (await client.rows("countries", {"filter[active]": "[1]"}, display="[iso_code]")).items
    states = (await client.rows("order_states", display="[id,shipped,logable]")).items
    coins = [(row.text("id"), row.text("iso_code").upper()) for row in (await client.rows("currencies")).items]
    currencies = {id_: code for id_, code in coins if id_.isdigit() and code in CURRENCIES}
    settings = {
        **chosen,
        "shop": shop.id("id"),
        "group": shop.text("id_shop_group") or "1",
        "currency": currencies.get(chosen["id_currency"], ""),
        "currencies": " ".join(f"{id_}={code}" for id_, code in currencies.items()),
        "shipped": ",".join(_ticked(states, "shipped")),
        "countries": ",".join(sorted(code for row in countries if len(code := row.text("iso_code")) == 2)),
    }
    return settings, _trouble(settings, _ticked(states, "logable"))


def _ticked(states: list[Node], tick: str) -> list[str]:
    return [row.text("id") for row in states if flag(row.raw(tick)) and row.text("id").isdigit()]


def _trouble(settings: Mapping[str, str], logable: list[str]) -> str:
    version, oldest = settings["version"], ".".join(map(str, OLDEST))
    missing = [name for name in STATES if not settings[name].isdigit()]
    told = {
        "We do not know the default currency of your shop.": not settings["currency"],
        f"PrestaShop {version} is too old; {oldest} or later is needed.": older(version, OLDEST),
        NO_ZONE: settings["zone"] not in available_timezones(),
        f"Your shop names no order status for: {', '.join(missing)}.": missing,
        NOT_LOGABLE: settings["paid"] not in logable,
    }
    return next(iter(that_hold(told)), "")


def _tried(client: Client, method: str, resource: str) -> Awaitable[object]:
    one = {"limit": "1"}
    return client.rows(resource, one, display="[id]") if method == "GET" else client.write(method, resource, "", [])


async def _rights(client: Client) -> list[Check]:
    """A write without a body is refused as unreadable where it is allowed (code 127), and before where not (25)."""
    listed = await client.resources()
    lacking = {right for rights in RIGHTS.values() for right in rights if right.split()[1] not in listed}
    for right in TRIED:
        if right not in lacking and not await allowed(_tried(client, *right.split()), also=(Declined,), but=NotAllowed):
            lacking.add(right)
    found = []
    for title, rights in RIGHTS.items():
        missing = [right.split() for right in rights if right in lacking]
        ticks = ", ".join(f"{TICKS[method]} of {resource}" for method, resource in missing)
        found.append(checked(not missing, title, TICK.format(ticks), right=ticks))
    return found

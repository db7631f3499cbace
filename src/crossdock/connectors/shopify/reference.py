"""The order field that makes our reference unique in the shop."""

from crossdock.connectors.shopify.client import Client, Said
from crossdock.connectors.shopify.mapper import FIELD, KEY, NAMESPACE
from crossdock.kit.errors import AuthDead, NoAnswer, Outside, Throttled
from crossdock.kit.json_node import Node


async def reference_field(client: Client) -> bool:
    """Whether the order field that makes our reference unique is there.

    Raises Outside when a field of another kind has its name.
    """
    found = (await client.ask("ReferenceField", FIELD)).child("metafieldDefinitions").list("nodes")
    if found and found[0].child("type").str("name") != "id":
        raise Outside(
            f"Your orders have a custom field {NAMESPACE}.{KEY} that is not of the type ID. Delete it in Settings >"
            " Custom data > Orders."
        )
    return bool(found)


async def ensure_reference_field(client: Client) -> bool:
    """True when it was missing and is there now.

    "ID metafield types are automatically configured to have unique values" (shopify.dev).
    """
    if await reference_field(client):
        return False
    definition = {"name": "Crossdock order reference", "ownerType": "ORDER", "type": "id", **FIELD}
    try:
        await client.change("CreateReferenceField", "metafieldDefinitionCreate", {"definition": definition})
    except Said as said:
        if wrong := [message for code, message in said.complaints if code != "TAKEN"]:
            raise Outside(f"Shopify did not create the order field for our reference: {wrong[0]}") from None
    return True


async def by_reference(client: Client, reference: str) -> Node | None:
    """The order with this value in the unique field.

    The seller may have deleted the field: then it is made again, and empty.
    """
    question = {"identifier": {"customId": {**FIELD, "value": reference}}}
    try:
        return (await client.ask("OrderByReference", question)).opt_child("orderByIdentifier")
    except (AuthDead, NoAnswer, Throttled):
        raise
    except Outside:
        await ensure_reference_field(client)
        return (await client.ask("OrderByReference", question)).opt_child("orderByIdentifier")

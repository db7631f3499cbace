"""The words of the Universal Commerce Protocol that more than its pages need."""

VERSION = "2026-04-08"
CHECKOUT, ORDER = "dev.ucp.shopping.checkout", "dev.ucp.shopping.order"
# Below the marketplace's address: the profile, which names what is spoken and the keys that we sign with. “For business
# profiles, URL MUST point to /.well-known/ucp” (UCP v2026-04-08, docs/specification/signatures.md).
PROFILE = "/.well-known/ucp"

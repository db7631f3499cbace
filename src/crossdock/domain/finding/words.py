"""How words are compared: on both sides of every search."""

import unicodedata

# Letters that are no other letter with a mark, which Unicode therefore does not take apart.
_PLAIN = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ħ": "h", "ŧ": "t", "ı": "i", "ŋ": "n"}
)


def folded(text: str) -> str:
    """Without accents and case, for searching: "Pokémon" is found by "pokemon", "Łódź" by "lodz"."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return bare.casefold().translate(_PLAIN)

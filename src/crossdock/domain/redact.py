"""What must not be shown is blacked out here and nowhere else: keys, cards, and whoever bought. Ids, SKUs, counts and
states stay, since they explain what happened.

A name in running text cannot be told from any other word. So what a document gives away in fields that hold a person
is looked for in the rest of it, and whoever knows the people concerned says so (`known`).
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

HIDDEN = "[hidden]"

SECRET_NAME = re.compile(
    r"token|secret|passw|pwd|credential|authori[sz]ation|signature|cookie|session|nonce|hmac|bearer|consumer_"
    r"|(^|[^a-z])(api|access|private|auth)?[-_ ]?key$|api[-_]?key|apikey|(^|_)otp$|(^|_)pin$|^code$"
    r"|card[-_]?(number|no)$|^(pan|cvc2?|cvv2?|iban|bic|last4)$|security[-_]?code",
    re.IGNORECASE,
)
_PERSON_NAME = re.compile(
    r"^(e[-_]?mail|email_?address|phone.*|.*phone(_?number)?|mobile|(street|address)[-_]?(line)?[-_]?[12]?|street.*|line[12]"
    r"|(first|last|full|given|family|recipient|sur|display|cardholder|customer|buyer|contact)[-_]?name|company(_?name)?"
    r"|(customer_|browser_|client_)?ip(_?address)?|.*user_?agent|birth.*|latitude|longitude)$",
    re.IGNORECASE,
)
# A plain "name" is a person's beside one of these, and an order's or a product's elsewhere.
_BESIDE_A_PERSON = re.compile(
    r"^(e[-_]?mail|email_?address|phone|phone_?number|address[-_]?1|line[-_]?1|street.*|zip|post(al)?_?code"
    r"|(first|last|full)_?name)$",
    re.IGNORECASE,
)
# Fields whose values never hold a person's words: nothing that is merely known is looked for in them.
_PLAIN_NAME = re.compile(
    r"^(id|sku|key|status|state|type|__typename|operation|handle|currency|country|reference)$|(^|[_-])id$|(?-i:Id$)|_?code$",
    re.IGNORECASE,
)
_EMAIL = re.compile(r"[\w.+%-]+@[\w-]+(\.[\w-]+)+")
_PHONES = (
    re.compile(r"(?<![\w.:-])\+\d[\d ()/.-]{6,16}\d(?!\w)"),
    re.compile(r"(?<![\w.:#/-])(\(\d{2,5}\) ?|\d{3}[-. ])\d{3}[-. ]\d{4}(?![\w-])"),
    re.compile(r"(?<![\w.:#/-])0\d{2,4}[ /-]\d{5,9}(?![\w-])"),
)
_KEYS = (
    re.compile(r"\b[A-Za-z]{2,8}_(?=[A-Za-z_]*\d)[0-9A-Za-z_]{20,}\b|\beyJ[\w-]{10,}\.[\w-]+\.[\w-]*"),
    re.compile(r"-----BEGIN [A-Z ]+-----.*?(-----END [A-Z ]+-----|\Z)", re.DOTALL),
    re.compile(
        r"\b(?=[A-Za-z0-9]*\d)(?=[A-Za-z0-9]*[a-z])(?=[A-Za-z0-9]*[A-Z])[A-Za-z0-9]{32,}\b|\b[0-9a-fA-F]{32,}\b"
    ),
    re.compile(r"\b[A-Z]{2}\d{2}( ?[A-Z0-9]{4}){3,7}( ?[A-Z0-9]{1,3})?\b"),
)
_SCHEME = re.compile(r"\b(Bearer|Basic|Digest)\s+[\w.~+/=-]{6,}", re.IGNORECASE)
_LOGIN_IN_URL = re.compile(r"://[^/\s:@\"']+(:[^/\s@\"']*)?@")
_PAIR = re.compile(
    r"""(?P<name>[\w%.\[\]-]{2,60})(?P<between>["']?\s*[:=]\s*["']?)(?P<value>(?:(?!\[hidden\])[^\s"',;&<>])+)"""
)
_SAID = re.compile(
    r"\b(password|passphrase|passwort|secret|token|api[- ]?key|pin|cvv|cvc)\b(\s+(?:is|was|lautet|:|=)\s+)(\S+)",
    re.IGNORECASE,
)
_STREETS = (
    re.compile(
        r"\b\d{1,5}[a-zA-Z]?,? +(?:[A-ZÀ-Þ][\w'.-]*,?"
        r" +){1,4}(?:St|Street|Ave|Avenue|Rd|Road|Blvd|Boulevard|Ln|Lane|Dr|Drive|Way|Ct|Court"
        r"|Pl|Place|Sq|Square|Terrace|Hwy|Highway|Pkwy|Parkway)\b\.?(?: *(?:Apt|Unit|Suite|#)\.? *\w+)?"
    ),
    re.compile(r"\b[A-ZÄÖÜ][\w-]*(?:straße|strasse|str\.|weg|platz|allee|gasse|ufer|damm) *\d{1,4} ?[a-z]?\b"),
    re.compile(
        r"\b\d{1,4}(?: ?(?:bis|ter))?,? +(?:rue|avenue|boulevard|chemin|allée|impasse|quai) +[\w'’-]+(?:"
        r" [\w'’-]+){0,4}",
        re.IGNORECASE,
    ),
    re.compile(r"\bP\.? ?O\.? ?Box +\d+", re.IGNORECASE),
)
_TITLED = re.compile(r"\b(Mr|Mrs|Ms|Miss|Dr|Herr|Frau|Mme|Monsieur|Madame)\.? +[A-ZÀ-Þ][\w'’-]+(?: +[A-ZÀ-Þ][\w'’-]+)?")
_DIGITS = re.compile(r"(?<![\w/.#-])\d(?:[ -]?\d){12,18}(?![\w-])")
_SIGNING_IN = frozenset({"client_id", "client_secret", "grant_type", "redirect_uri", "hmac"})
_SHORTEST_KNOWN = 3
_MOST_NAMES = 4


def hides(name: str) -> bool:
    """Whether a field of this name holds a secret or a person."""
    # Some platforms write a field's path into its name: billing[email], meta_data[0][api_key].
    last = name.replace("]", "").rpartition("[")[2]
    return bool(SECRET_NAME.search(last) or _PERSON_NAME.match(last))


def redact_value(value: Any, name: str = "", known: Iterable[str] = ()) -> Any:
    """A JSON value with what its field names and its texts give away hidden; whoever it names is hidden in its other
    texts too.
    """
    return _value(value, name, known_words([*known, *_people(value)]))


def redact_text(text: str, known: Iterable[str] = ()) -> str:
    """Running text without keys, cards, e-mail addresses, telephone numbers, streets, and the people that are known."""
    return _text(text, known_words(known))


def redact_address(url: str, known: Iterable[str] = ()) -> str:
    """A URL as it was recorded: what its percent signs hide is looked at too."""
    plain = _unquoted(url)
    clean = redact_text(plain, known)
    return redact_text(url, known) if clean == plain else clean


def _unquoted(text: str) -> str:
    return re.sub(
        r"(?:%[0-9A-Fa-f]{2})+", lambda found: bytes.fromhex(found[0].replace("%", "")).decode(errors="replace"), text
    )


def known_words(known: Iterable[str]) -> "re.Pattern[str] | None":
    """One pattern for whole values, however written, and for the single words of what looks like a person's name,
    written as there.
    """
    wholes: set[str] = set()
    words: set[str] = set()
    for value in known:
        parts = value.split()
        whole = " ".join(parts)
        if len(whole) >= _SHORTEST_KNOWN and whole != HIDDEN:
            wholes.add(whole)
            if len(parts) <= _MOST_NAMES and not any(letter.isdigit() for letter in whole):
                words |= {part for part in parts if len(part) >= _SHORTEST_KNOWN and part.istitle()}
    if not wholes:
        return None
    longest_first = sorted(wholes, key=lambda whole: (-len(whole), whole))
    choices = [f"(?i:{'|'.join(map(re.escape, longest_first))})", *map(re.escape, sorted(words))]
    return re.compile(rf"(?<!\w)(?:{'|'.join(choices)})(?!\w)")


def _value(value: Any, name: str, known: "re.Pattern[str] | None") -> Any:
    match value:
        case dict():
            person = any(_BESIDE_A_PERSON.match(str(key)) for key in value)
            said, signing_in = _said_name(value), not _SIGNING_IN.isdisjoint(value)
            return {
                key: (
                    HIDDEN
                    if person and _is_person(key, inner)
                    else _value(inner, _called(str(key), said, signing_in), known)
                )
                for key, inner in value.items()
            }
        case list() | tuple():
            return [_value(inner, name, known) for inner in value]
        case str() if value:
            if hides(name):
                return HIDDEN
            return _text(value, None if _PLAIN_NAME.search(name) else known)
        case int() | float() if not isinstance(value, bool) and SECRET_NAME.search(name):
            return HIDDEN
        case _:
            return value


def _said_name(value: Mapping[str, Any]) -> str | None:
    """The name that a {key: ..., value: ...} pair gives to its value."""
    said = value.get("key", value.get("name"))
    return said if "value" in value and isinstance(said, str) else None


def _called(key: str, said: str | None, signing_in: bool) -> str:
    """In a pair the value is named by its key, and the key itself is no secret.

    A "code" is one only while signing in; else it says what went wrong.
    """
    if key == "code" and not signing_in:
        return "id"
    if said is None:
        return key
    return said if key.lower() == "value" else "id" if key == "key" else key


def _is_person(key: Any, value: Any) -> bool:
    """An order's name ("#1001") stays: it is no two words, and has a digit."""
    return key == "name" and isinstance(value, str) and bool(value) and not re.fullmatch(r"\S*\d\S*", value)


def _people(value: Any) -> Iterable[str]:
    """What the fields that hold a person say in this document."""
    match value:
        case dict():
            person = any(_BESIDE_A_PERSON.match(str(key)) for key in value)
            for key, inner in value.items():
                if isinstance(inner, str) and ((person and _is_person(key, inner)) or _PERSON_NAME.match(str(key))):
                    # Words of a company's name are any words, so it is looked for as a whole.
                    yield inner.lower() if str(key).lower().startswith("company") else inner
                else:
                    yield from _people(inner)
        case list() | tuple():
            for inner in value:
                yield from _people(inner)
        case _:
            return


def _text(text: str, known: "re.Pattern[str] | None") -> str:
    text = _LOGIN_IN_URL.sub(f"://{HIDDEN}@", text)
    text = _SCHEME.sub(rf"\1 {HIDDEN}", text)
    text = _PAIR.sub(_pair, text)
    text = _SAID.sub(rf"\1\2{HIDDEN}", text)
    for pattern in (_EMAIL, *_PHONES, *_KEYS, *_STREETS):
        text = pattern.sub(HIDDEN, text)
    text = _TITLED.sub(rf"\1 {HIDDEN}", text)
    text = _DIGITS.sub(lambda found: HIDDEN if _is_card(found[0]) else found[0], text)
    return known.sub(HIDDEN, text) if known else text


def _pair(found: "re.Match[str]") -> str:
    """`name=value` and `name: value`, also inside an address."""
    what_went_wrong = found["name"] == "code" and "=" not in found["between"]
    secret = SECRET_NAME.search(found["name"]) and not what_went_wrong
    return f"{found['name']}{found['between']}{HIDDEN}" if secret else found[0]


def _is_card(text: str) -> bool:
    """By length, first digit and check digit. Shops' ids of 13 and 14 digits without gaps are ids."""
    digits = [int(letter) for letter in text if letter.isdigit()]
    if len(digits) not in (14, 15, 16, 19) or digits[0] not in (2, 3, 4, 5, 6):
        return False
    if len(digits) == 14 and text.isdigit():
        return False
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]
    return (sum(doubled) + sum(digits[-1::-2])) % 10 == 0

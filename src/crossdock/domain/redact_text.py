"""What must not be shown in running text: keys, cards, addresses, and the people that are known.

Shops and strangers write these texts, so each pattern takes time in proportion to the text's length: it starts only
where a run of its letters starts, or a run is looked at backwards from the character that makes it one ("@", a
street's ending), each character once. `tests/domain/test_linear.py` tries every pattern.
"""

import base64
import re
from collections.abc import Iterable, Iterator

HIDDEN = "[hidden]"

SECRET_NAME = re.compile(
    r"token|secret|passw|pwd|credential|authori[sz]ation|signature|cookie|session|nonce|hmac|bearer|consumer_"
    r"|(^|[^a-z])(api|access|private|auth)?[-_ ]?key$|api[-_]?key|apikey|(^|_)otp$|(^|_)pin$|^code$"
    r"|card[-_]?(number|no)$|^(pan|cvc2?|cvv2?|iban|bic|last4)$|security[-_]?code",
    re.IGNORECASE,
)
_DOMAIN = re.compile(r"@[\w-]+(?:\.[\w-]+)+")
_PHONES = (
    re.compile(r"(?<![\w.:-])\+\d[\d ()/.-]{6,16}\d(?!\w)"),
    re.compile(r"(?<![\w.:#/-])(\(\d{2,5}\) ?|\d{3}[-. ])\d{3}[-. ]\d{4}(?![\w-])"),
    re.compile(r"(?<![\w.:#/-])0\d{2,4}[ /-]\d{5,9}(?![\w-])"),
)
_WEB_TOKEN = re.compile(r"(?<![\w-])(?=[\w-]+\.[\w-]+\.)(?P<kept>[\w-]*?)\beyJ[\w-]{10,}\.[\w-]+\.[\w-]*")
# A ULID behind its kind ("order_01M8M7D3EZG520Y77BYT76M3GM") is an id that some shops write everywhere, and no key.
_PREFIXED_KEY = re.compile(
    r"\b(?![a-z]+(?:_[a-z]+)?_01[0-9A-HJKMNP-TV-Z]{24}\b)[A-Za-z]{2,8}_(?=[A-Za-z_]*\d)[0-9A-Za-z_]{20,}\b"
)
_ACCOUNT = re.compile(r"\b[A-Z]{2}\d{2}( ?[A-Z0-9]{4}){3,7}( ?[A-Z0-9]{1,3})?\b")
_KEY_BLOCK = re.compile(r"-----BEGIN [A-Z ]+-----.*?(-----END [A-Z ]+-----|\Z)", re.DOTALL)
_LONG_KEY = re.compile(
    r"\b(?=[A-Za-z0-9]*\d)(?=[A-Za-z0-9]*[a-z])(?=[A-Za-z0-9]*[A-Z])[A-Za-z0-9]{32,}\b|\b[0-9a-fA-F]{32,}\b"
)
# What a long word of base64 may say and be an id: GraphQL's global ids ("Order:" and a UUID) are one everywhere.
_GLOBAL_ID = re.compile(rb"(?:[A-Z][a-z]+){1,4}:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DIGIT = re.compile(r"\d")
_SPACE = re.compile(r"\s")
# What most values of a document are: short words and short numbers. Nothing below can be found in one; most of the time
# that evidence costs went into looking for it.
_NOTHING_IN_IT = re.compile(r"[A-Za-z_]{0,31}|[0-9]{1,12}")
_SCHEME = re.compile(r"\b(Bearer|Basic|Digest)\s+[\w.~+/=-]{6,}", re.IGNORECASE)
_LOGIN_IN_URL = re.compile(r"://[^/\s:@\"']+(:[^/\s@\"']*)?@")
# A name starts where its letters start; what was hidden before may stand within it.
_PAIR = re.compile(
    r"""(?P<name>(?:(?<![\w%.\[\]-])[\w%.\[\]-]{2,}|(?=\[hidden\])[\w%.\[\]-]{2,60}))"""
    r"""(?P<between>["']?\s*[:=]\s*["']?)(?P<value>(?:[^\s"',;&<>\[]|\[(?!hidden\]))+)"""
)
_SAID = re.compile(
    r"\b(password|passphrase|passwort|secret|token|api[- ]?key|pin|cvv|cvc)\b(\s+(?:is|was|lautet|:|=)\s+)(\S+)",
    re.IGNORECASE,
)
_STREET = re.compile(
    r"\b\d{1,5}[a-zA-Z]?,? +(?:[A-ZÀ-Þ][\w'.-]*,?"
    r" +){1,4}(?:St|Street|Ave|Avenue|Rd|Road|Blvd|Boulevard|Ln|Lane|Dr|Drive|Way|Ct|Court"
    r"|Pl|Place|Sq|Square|Terrace|Hwy|Highway|Pkwy|Parkway)\b\.?(?: *(?:Apt|Unit|Suite|#)\.? *\w+)?"
)
_OTHER_STREETS = (
    re.compile(
        r"\b\d{1,4}(?: ?(?:bis|ter))?,? +(?:rue|avenue|boulevard|chemin|allée|impasse|quai) +[\w'’-]+(?:"
        r" [\w'’-]+){0,4}",
        re.IGNORECASE,
    ),
    re.compile(r"\bP\.? ?O\.? ?Box +\d+", re.IGNORECASE),
)
_STREET_ENDING = re.compile(r"(?:straße|strasse|str\.|weg|platz|allee|gasse|ufer|damm) *\d{1,4} ?[a-z]?\b")
_STREET_START = re.compile(r"\b[A-ZÄÖÜ]")
_TITLED = re.compile(r"\b(Mr|Mrs|Ms|Miss|Dr|Herr|Frau|Mme|Monsieur|Madame)\.? +[A-ZÀ-Þ][\w'’-]+(?: +[A-ZÀ-Þ][\w'’-]+)?")
_DIGITS = re.compile(r"(?<![\w/.#-])\d(?:[ -]?\d){12,18}(?![\w-])")
_LONGEST_NAME = 60
_LONGEST_ID = 100
_SHORTEST_KNOWN = 3
_MOST_NAMES = 4
# Longer than anything above but a key's block, which is hidden from its first line on.
MARGIN = 1_000


def redact(text: str, known: "Known | None" = None) -> str:
    """The text without keys, cards, e-mail addresses, telephone numbers, streets, and who is known."""
    if not _NOTHING_IN_IT.fullmatch(text):
        text = _without_all(text)
    return known.hide(text) if known else text


def _without_all(text: str) -> str:
    if "://" in text:
        text = _LOGIN_IN_URL.sub(f"://{HIDDEN}@", text)
    # What is of several words.
    words = _SPACE.search(text) is not None
    if words:
        text = _SCHEME.sub(rf"\1 {HIDDEN}", text)
    if ":" in text or "=" in text:
        text = _PAIR.sub(_pair, text)
    if words:
        text = _SAID.sub(rf"\1\2{HIDDEN}", text)
    if "@" in text:
        text = _without(text, _emails(text))
    # What has a digit in it: telephone numbers, bank accounts, streets, cards.
    digits = _DIGIT.search(text) is not None
    if digits:
        text = _each(_PHONES, text)
    text = _without_keys(text)
    if digits:
        text = _ACCOUNT.sub(HIDDEN, text)
        text = _STREET.sub(HIDDEN, text) if words else text
        text = _without(text, _german_streets(text))
        text = _each(_OTHER_STREETS, text) if words else text
    if words:
        text = _TITLED.sub(rf"\1 {HIDDEN}", text)
    if digits:
        text = _DIGITS.sub(lambda found: HIDDEN if _is_card(found[0]) else found[0], text)
    return text


def _without_keys(text: str) -> str:
    if "_" in text:
        text = _PREFIXED_KEY.sub(HIDDEN, text)
    if "eyJ" in text:
        text = _WEB_TOKEN.sub(rf"\g<kept>{HIDDEN}", text)
    if "-----BEGIN" in text:
        text = _KEY_BLOCK.sub(HIDDEN, text)
    return _LONG_KEY.sub(lambda found: found[0] if _is_global_id(found[0]) else HIDDEN, text)


def _is_global_id(text: str) -> bool:
    if len(text) > _LONGEST_ID or len(text) % 4 == 1:
        return False
    return _GLOBAL_ID.fullmatch(base64.b64decode(text + "=" * (-len(text) % 4))) is not None


def _each(patterns: Iterable["re.Pattern[str]"], text: str) -> str:
    for pattern in patterns:
        text = pattern.sub(HIDDEN, text)
    return text


def redact_start(text: str, longest: int, known: "Known | None" = None) -> str:
    """The start of a text, at most `longest` of it, in a time that does not depend on what is cut off.

    What stands on the border is left out: half of a number is not recognised as one.
    """
    if len(text) <= longest + MARGIN:
        return redact(text, known)
    return redact(text[: longest + MARGIN], known)[:-MARGIN]


class Known:
    """Whoever is known is found in one pass, however many there are.

    Whole values are found however written, single words of what looks like a person's name as written there.
    """

    def __init__(self, wholes: Iterable[str], words: Iterable[str]) -> None:
        self._wholes = {_folded(whole) for whole in wholes}
        self._words = frozenset(words)
        some = self._wholes | self._words
        self._starts = {_folded(one[:_SHORTEST_KNOWN]) for one in some}
        self._lengths = sorted({len(one) for one in some}, reverse=True)

    def hide(self, text: str) -> str:
        return _without(text, self._found(text))

    def _found(self, text: str) -> Iterator[tuple[int, int]]:
        folded, end = _folded(text), 0
        for start in _word_starts(folded):
            if start < end or folded[start : start + _SHORTEST_KNOWN] not in self._starts:
                continue
            for length in self._lengths:
                stop = start + length
                if not _in_word(folded[stop : stop + 1]) and (
                    folded[start:stop] in self._wholes or text[start:stop] in self._words
                ):
                    yield start, stop
                    end = stop
                    break


def known_people(known: Iterable[str]) -> Known | None:
    """Whom to look for: whole values, and the single words of what looks like a person's name."""
    wholes: set[str] = set()
    words: set[str] = set()
    for value in known:
        parts = value.split()
        whole = " ".join(parts)
        if len(whole) >= _SHORTEST_KNOWN and whole != HIDDEN:
            wholes.add(whole)
            if len(parts) <= _MOST_NAMES and not any(letter.isdigit() for letter in whole):
                words |= {part for part in parts if len(part) >= _SHORTEST_KNOWN and part.istitle()}
    return Known(wholes, words) if wholes else None


_WORD_START = re.compile(r"(?<!\w)\S")
_DOTTED_I = {0x130: "i"}


def _word_starts(text: str) -> Iterator[int]:
    return (found.start() for found in _WORD_START.finditer(text))


def _folded(text: str) -> str:
    """Without capitals, each character still in its place."""
    plain = text.translate(_DOTTED_I)
    folded = plain.casefold()
    if len(folded) == len(text):
        return folded
    return "".join(small if len(small := letter.casefold()) == 1 else letter.lower() for letter in plain)


def _in_word(letter: str) -> bool:
    return letter.isalnum() or letter == "_"


def _without(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """The text with HIDDEN in place of each span, in their order."""
    parts, end = [], 0
    for start, stop in spans:
        parts += [text[end:start], HIDDEN]
        end = stop
    return "".join([*parts, text[end:]]) if parts else text


def _emails(text: str) -> Iterator[tuple[int, int]]:
    end = 0
    for domain in _DOMAIN.finditer(text):
        start = _run_before(text, domain.start(), end, "_.+%-")
        if start < domain.start():
            yield start, domain.end()
            end = domain.end()
        else:
            end = domain.start() + 1


def _german_streets(text: str) -> Iterator[tuple[int, int]]:
    """A word with a capital that ends like a street, and its number."""
    end = hidden_to = 0
    for ending in _STREET_ENDING.finditer(text):
        run = _run_before(text, ending.start(), end, "_-")
        capital = _STREET_START.search(text, run, ending.start())
        if run == hidden_to and hidden_to:
            yield run, ending.end()
            hidden_to = ending.end()
        elif capital:
            yield capital.start(), ending.end()
            hidden_to = ending.end()
        end = ending.end()


def _run_before(text: str, end: int, low: int, also: str) -> int:
    """Where the run of word characters and `also` begins that ends at `end`; not before `low`."""
    while end > low and (text[end - 1].isalnum() or text[end - 1] in also):
        end -= 1
    return end


def _pair(found: "re.Match[str]") -> str:
    """`name=value` and `name: value`, also inside an address."""
    what_went_wrong = found["name"] == "code" and "=" not in found["between"]
    secret = SECRET_NAME.search(found["name"][-_LONGEST_NAME:]) and not what_went_wrong
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

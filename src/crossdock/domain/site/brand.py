"""What a marketplace calls itself and what it looks like: one colour of its own, and the shades that are made of it.

Contrast is WCAG 2.2's own (https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio): words need 4.5 : 1. A colour is written
"#0d5f5a".
"""

import hashlib
import re
from dataclasses import astuple, dataclass

LONGEST_NAME, LONGEST_SENDER, LONGEST_CONTACT = 60, 60, 254
# What the pages look like until staff choose (static/crossdock.css; a test compares them).
DEFAULT_ACCENT = "#0d5f5a"
LIGHT = {
    "paper": "#f7f5f0",
    "card": "#ffffff",
    "sunk": "#eeebe3",
    "line": "#ddd8cc",
    "ink": "#1b1f1e",
    "soft": "#565c59",
}
DARK = {
    "paper": "#111515",
    "card": "#191f1f",
    "sunk": "#0c0f0f",
    "line": "#2e3636",
    "ink": "#e8ecea",
    "soft": "#a6b0ac",
}
LEAST_CONTRAST = 4.5
_GROUNDS = ("paper", "card", "sunk")
_COLOUR = re.compile(r"#[0-9a-f]{6}")
# In a mail's From line these would end the name.
_NO_NAME = re.compile(r'[<>"\\\r\n]')


class NotABrand(ValueError):
    """`field` is what is wrong, and the message what to do."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field = field


@dataclass(frozen=True, slots=True)
class Brand:
    """What is empty is as it comes: the operator's name, the house's colour and mark. `logo` and `icon` are addresses
    of pictures on this site.
    """

    name: str = ""
    accent: str = ""
    contact: str = ""
    sender: str = ""
    logo: str = ""
    icon: str = ""

    @property
    def digest(self) -> str:
        """Names a brand that was shown."""
        return hashlib.sha256("\n".join(astuple(self)).encode()).hexdigest()[:40]


def checked(brand: Brand) -> Brand:
    """As it is kept; the house's own colour is none. Raises NotABrand."""
    for field, words, longest in (
        ("name", brand.name, LONGEST_NAME),
        ("sender", brand.sender, LONGEST_SENDER),
        ("contact", brand.contact, LONGEST_CONTACT),
    ):
        if len(words) > longest:
            raise NotABrand(field, f"At most {longest} letters; these are {len(words)}.")
        if _NO_NAME.search(words):
            raise NotABrand(field, 'It stands in mails too: leave out < > " and \\.')
    accent = "" if brand.accent == DEFAULT_ACCENT else brand.accent
    if accent:
        why = why_not(accent)
        if why:
            raise NotABrand("accent", why)
    return Brand(brand.name, accent, brand.contact, brand.sender, brand.logo, brand.icon)


def why_not(accent: str) -> str:
    """Why words in this colour, and white words on it, could not be read; empty when they can."""
    if not _COLOUR.fullmatch(accent):
        return "Write the colour as # and six digits from 0 to f, such as #0d5f5a."
    least = _least(accent)
    if least >= LEAST_CONTRAST:
        return ""
    return (
        f"{accent} is too light to be read on a light page: its contrast is {int(least * 10) / 10} : 1, and words need"
        f" {LEAST_CONTRAST} : 1. Choose a darker one, for example {_darker(accent)}."
    )


def shades(accent: str) -> tuple[dict[str, str], dict[str, str]]:
    """The stylesheet's four colours of the accent, on a light page and on a dark one, of one that `why_not` takes."""
    light = {
        "accent": accent,
        "accent-strong": _mixed(accent, "#000000", 0.25),
        "on-accent": "#ffffff",
        "accent-wash": _mixed(accent, "#ffffff", 0.87),
    }
    bright = accent
    for step in range(101):
        bright = _mixed(accent, "#ffffff", step / 100)
        if contrast(bright, DARK["card"]) >= 7:
            break
    dark = {
        "accent": bright,
        "accent-strong": _mixed(bright, "#ffffff", 0.3),
        "on-accent": "#0a0e0e",
        "accent-wash": _mixed(bright, DARK["paper"], 0.82),
    }
    return light, dark


def contrast(one: str, other: str) -> float:
    """From 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-relative-luminance"""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (channel / 255 for channel in _channels(colour))
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _least(accent: str) -> float:
    return min(contrast(accent, LIGHT[ground]) for ground in _GROUNDS)


def _darker(accent: str) -> str:
    """The nearest one that can be read."""
    for step in range(101):
        darker = _mixed(accent, "#000000", step / 100)
        if _least(darker) >= LEAST_CONTRAST:
            return darker
    return "#000000"


def _mixed(one: str, other: str, part: float) -> str:
    """`part` of the other one."""
    pairs = zip(_channels(one), _channels(other), strict=True)
    return "#" + "".join(f"{round(mine + (theirs - mine) * part):02x}" for mine, theirs in pairs)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)

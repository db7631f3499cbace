"""HTML and what shops put into names, as plain text. Every text of a shop that people read here goes through this.

Own code, since what there is takes quadratic time: Python 3.11's html.parser needs 64 s for 80 kB of "<a " and raises
AssertionError for "<![<", and a parser that builds the tree that browsers build copies every open <b> into each
following paragraph. Here each part is looked at once.
"""

import re
from html import unescape
from typing import Any

MOST = 50_000
LONGEST_LINK = 2_000
# Elements that begin and end a line of their own; inside of them words never touch those before and after.
_BLOCK_NAMES = (
    "address article aside blockquote br button caption center dd details dialog dir div dl dt fieldset figcaption"
    " figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr iframe legend li main menu nav ol option p pre section"
    " select summary table tbody td tfoot th thead tr ul"
)
_BLOCKS = frozenset(_BLOCK_NAMES.split())
# In a name "<M>" is a size and no tag: there only what HTML knows is one, and what has a hyphen (custom elements).
_INLINE_NAMES = (
    "a abbr acronym applet area audio b base basefont bdi bdo big blink body canvas cite code col colgroup data"
    " datalist del dfn em embed font frame frameset head html i img input ins kbd label link map mark marquee math"
    " meta meter nobr noframes noscript object optgroup output param path picture progress q rp rt ruby s samp script"
    " slot small source span strike strong style sub sup svg template textarea time title track tt u var video"
    " wbr"
)
_INLINE = frozenset(_INLINE_NAMES.split())
_UNSEEN = re.compile(r"<!--|<(?:script|style|template)\b", re.IGNORECASE)
_ENDS = {"<!--": re.compile("-->")} | {
    f"<{name}": re.compile(f"</{name}[^<>]*>", re.IGNORECASE) for name in ("script", "style", "template")
}
# A tag with its quoted attributes, or up to the next "<" where a quote is not closed. Possessive, so that it never
# goes back; scans of two different "<" meet at the first quote or "<", so all of them together stay linear.
_TAG = re.compile(
    r"""<(/?)([a-zA-Z][^\s<>/]*+)(?:[^<>"']*+(?:"[^"]*+"[^<>"']*+|'[^']*+'[^<>"']*+)*+>|[^<>]*+>)"""
    r"""|<[!?][^<>]*+>"""
)
_LAYOUT = re.compile(r"[^\S\n]+")
_BREAKS = re.compile(r" ?\n[ \n]*")


def plain(html: str) -> str:
    """What a browser would show of a piece of HTML, one line per paragraph, row or list item.

    Tags that were escaped twice on the way are taken out as well.
    """
    text = _without_tags(unescape(_without_tags(html[:MOST], any_tag=True)), any_tag=False)
    return _BREAKS.sub("\n", _LAYOUT.sub(" ", text)).strip()


def label(text: str, most: int = 1_000) -> str:
    """A name, a title, an option or a note in one line: entities resolved, markup taken out, "<3" and "<M>" kept."""
    short = text[: 10 * most]
    if "<" in short or "&" in short:
        short = _without_tags(unescape(_without_tags(short, any_tag=False)), any_tag=False)
    return " ".join(short.split())[:most]


def link(value: Any) -> str:
    """A web address that people here may follow; empty for anything else: PHP writes null or false for none."""
    good = isinstance(value, str) and value.startswith(("https://", "http://")) and len(value) <= LONGEST_LINK
    return value if good else ""


def _without_tags(text: str, *, any_tag: bool) -> str:
    if "<" not in text:
        return text

    def shown(found: re.Match[str]) -> str:
        name = (found[2] or "").lower()
        if name in _BLOCKS:
            return "\n"
        return "" if any_tag or not name or name in _INLINE or "-" in name else found[0]

    return _TAG.sub(shown, _seen(text))


def _seen(text: str) -> str:
    """Without comments, scripts and style sheets; one that does not end hides all that follows."""
    kept, at = [], 0
    while begun := _UNSEEN.search(text, at):
        kept.append(text[at : begun.start()])
        # Each part is looked through once: a search for an end that is not there is the last one.
        ended = _ENDS[begun[0].lower()].search(text, begun.end())
        at = ended.end() if ended else len(text)
    return "".join([*kept, text[at:]])

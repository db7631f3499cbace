"""The catalogues of the pages' texts: what is to be translated, read out of templates and code, and written to
src/crossdock/web/locale. `make texts` after a text was added or changed; then fill in what is empty.
"""

import ast
import io
import os
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

WEB = Path(__file__).parents[2] / "src/crossdock/web"
# What use-cases say in no language yet: `said("...")`.
MAILS = WEB.parent / "domain/mails"
LANGUAGES = ("de", "fr", "es")
# Templates whose every word is in the catalogues, below web/templates.
COVERED = (
    "base.html",
    "400.html",
    "403.html",
    "403_csrf.html",
    "404.html",
    "405.html",
    "429.html",
    "500.html",
    "storefront/*.html",
    "account/login.html",
    "account/logout.html",
    "account/reauthenticate.html",
    "account/signup.html",
    *(
        f"parts/{name}.html"
        for name in (
            *("address", "alert", "box", "checkout_lines", "checkout_parts", "checkout_steps", "confirm", "copy"),
            *("empty", "field", "find", "form", "form_errors", "mark", "messages", "offer_moves", "page_text", "pager"),
            *("rated", "stars", "sums", "talk", "talk_form", "tile"),
        )
    ),
)
_KEYWORDS = dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop")) | {"ngettext": (1, 2)}
Text = str | tuple[str, str]


def templates() -> Iterator[Path]:
    for pattern in COVERED:
        yield from sorted((WEB / "templates").glob(pattern))


def catalogue(language: str) -> Path:
    return WEB / "locale" / language / "LC_MESSAGES" / "django.po"


def found() -> list[Text]:
    """Every text, once, by the alphabet; a pair where it has a plural."""
    from django.utils.translation.template import templatize

    texts = set[Text]()
    sources = [templatize(path.read_text(), origin=str(path)) for path in templates()]
    sources += [path.read_text() for path in sorted(WEB.rglob("*.py"))]
    for source in sources:
        for _, _, message, _ in extract_python(io.BytesIO(source.encode()), _KEYWORDS, [], {}):
            if isinstance(message, str):
                texts.add(message)
            elif message and all(isinstance(one, str) for one in message[:2]):
                texts.add((message[0], message[1]))
    for path in sorted(MAILS.rglob("*.py")):
        texts |= set(marked(path.read_text()))
    return sorted(texts - {""}, key=lambda text: (text, "") if isinstance(text, str) else text)


def marked(source: str) -> Iterator[str]:
    """The texts of `said(...)`. One that is not written out in full, or is only places, is refused or left out."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "said":
            text = ast.literal_eval(node.args[0])
            if re.search(r"[^\W\d_]|:", re.sub(r"\{\w+\}", "", text)):
                yield text


def read(language: str) -> Catalog:
    with catalogue(language).open("rb") as file:
        return read_po(file, locale=language)


def fresh(language: str, known: Catalog) -> Catalog:
    """The texts of today with the translations that there are. Without dates and places, so that two changes of
    different texts can be merged.
    """
    made = Catalog(locale=language, fuzzy=False)
    for text in found():
        old = known.get(text)
        made.add(text, old.string if old is not None else "", flags=old.flags - {"fuzzy"} if old is not None else ())
    return made


def written(made: Catalog) -> bytes:
    """As a .po file."""
    target = io.BytesIO()
    write_po(target, made, omit_header=True, width=0)
    head = ["Content-Type: text/plain; charset=UTF-8", f"Plural-Forms: {made.plural_forms}"]
    lines = ['msgid ""', 'msgstr ""', *(f'"{line}\\n"' for line in head), "", ""]
    body = re.sub(rb"^#, python-(?:brace-)?format\n", b"", target.getvalue(), flags=re.M).lstrip()
    return "\n".join(lines).encode() + body


def compiled(path: Path, language: str) -> bytes:
    """As the .mo file that Django reads."""
    target = io.BytesIO()
    with path.open("rb") as file:
        made = read_po(file, locale=language)
    # No date of today, so that the same texts are the same file.
    made.creation_date = made.revision_date = datetime(2026, 1, 1, tzinfo=UTC)
    write_mo(target, made)
    return target.getvalue()


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crossdock.settings")
    left = 0
    for language in LANGUAGES:
        path = catalogue(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        made = fresh(language, read(language) if path.exists() else Catalog(locale=language))
        path.write_bytes(written(made))
        path.with_suffix(".mo").write_bytes(compiled(path, language))
        empty = [message.id for message in made if message.id and not any(message.string or "")]
        left += len(empty)
        print(f"{language}: {len(made)} texts, {len(empty)} to be translated in {path}")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())

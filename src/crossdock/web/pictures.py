"""Pictures that sellers upload: believed by their first bytes, not by their names; kept under a name made of their
content; served as nothing but a picture.
"""

import hashlib
import re
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

LARGEST = 5 * 1024 * 1024
_TYPES = {"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp"}
_NAME = re.compile(r"[0-9a-f]{40}\.(png|jpg|webp)")


class NotAPicture(ValueError):
    """The message says what to choose instead."""


def kind_of(content: bytes) -> str:
    """png, jpg or webp, by the signature. Raises NotAPicture."""
    if content.startswith(b"\x89PNG\r\n\x1a\n") and content[12:16] == b"IHDR":
        return "png"
    if content.startswith(b"\xff\xd8\xff") and b"\xff\xd9" in content[-64:]:
        return "jpg"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP" and content[12:15] == b"VP8":
        return "webp"
    raise NotAPicture("Choose a PNG, JPEG or WebP picture; this file is none.")


def keep(upload: "UploadedFile[Any]") -> str:
    """The address of the picture on this site. The same picture twice is one file. Raises NotAPicture."""
    if not upload.size or upload.size > LARGEST:
        raise NotAPicture("Choose a picture of up to 5 MB.")
    content = upload.read(LARGEST + 1)
    name = f"{hashlib.sha256(content).hexdigest()[:40]}.{kind_of(content)}"
    path = f"pictures/{name}"
    if not default_storage.exists(path):
        default_storage.save(path, ContentFile(content))
    return f"/media/{name}"


def is_ours(url: str) -> bool:
    """Whether the address is one that `keep` gave, of a picture that is here."""
    name = url.removeprefix("/media/")
    return url != name and bool(_NAME.fullmatch(name)) and default_storage.exists(f"pictures/{name}")


@require_safe
def serve(request: HttpRequest, name: str) -> HttpResponse:
    found = _NAME.fullmatch(name)
    path = f"pictures/{name}"
    if found is None or not default_storage.exists(path):
        raise Http404
    with default_storage.open(path) as file:
        response = HttpResponse(file.read(), content_type=_TYPES[found[1]])
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    response["Content-Disposition"] = "inline"
    return response

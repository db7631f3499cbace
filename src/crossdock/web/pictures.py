"""Pictures that are uploaded: judged by their bytes, not by their names; drawn anew; served as nothing but a picture.

A listing's are files under a name made of their content, for everybody; what a buyer shows of a return is for few, and
kept with it.
"""

import contextlib
import errno
import hashlib
import logging
import os
import re
from collections.abc import Callable
from typing import Any

from django import forms
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from crossdock.web.picture_encoding import NotAPicture, photo, redraw

LARGEST = 15 * 1024 * 1024
_TYPES = {"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp"}
# No room, no more for this user, or longer than a file may be.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_log = logging.getLogger(__name__)
_NAME = re.compile(r"[0-9a-f]{40}\.(png|jpg|webp)")


def keep(upload: "UploadedFile[Any]", draw: Callable[[bytes], tuple[bytes, str]] = redraw) -> str:
    """The address of the picture on this site, drawn anew by `draw`. The same picture twice is one file.
    Raises NotAPicture.
    """
    if not upload.size or upload.size > LARGEST:
        raise NotAPicture("Choose a picture of up to 15 MB.")
    content, ending = draw(upload.read(LARGEST + 1))
    name = f"{hashlib.sha256(content).hexdigest()[:40]}.{ending}"
    path = f"pictures/{name}"
    try:
        # As if new: an old one that nothing shows would be deleted at night, before the listing is saved.
        os.utime(default_storage.path(path))
    except PermissionError:
        # Somebody else's file, put back by a restore.
        return f"/media/{name}"
    except FileNotFoundError:
        _save(path, content)
    return f"/media/{name}"


def _save(path: str, content: bytes) -> None:
    """All of it or nothing: half a picture under this name would be taken for the whole one next time."""
    try:
        default_storage.save(path, ContentFile(content))
    except OSError as error:
        if error.errno not in _FULL:
            raise
        _log.error("a picture was not kept: %s. Make room in the folder for media", error.strerror)
        with contextlib.suppress(OSError):
            default_storage.delete(path)
        raise NotAPicture(
            "There is no room for pictures at the marketplace now. Its operator sees it; try again later, or leave the"
            " picture out."
        ) from None


class _SeveralFiles(forms.FileInput):
    allow_multiple_selected = True


class PhotosField(forms.FileField):
    """Several pictures, each as a small JPEG. One that cannot be read is named, and then none is taken: a browser
    sends no file a second time by itself.
    """

    widget = _SeveralFiles

    def __init__(self, *, most: int, **options: Any) -> None:
        super().__init__(**options)
        self.most = most
        self.widget.attrs["accept"] = ",".join(_TYPES.values())
        if most == 1:
            self.widget.attrs.pop("multiple", None)

    def clean(self, data: Any, initial: Any = None) -> list[bytes]:
        uploads = list(data or [])
        if self.required and not uploads:
            raise forms.ValidationError("Choose a picture.")
        if len(uploads) > self.most:
            many = "one picture" if self.most == 1 else f"at most {self.most} pictures"
            raise forms.ValidationError(f"Choose {many}.")
        if sum(upload.size or 0 for upload in uploads) > LARGEST:
            raise forms.ValidationError("These pictures have more than 15 MB together. Choose fewer or smaller ones.")
        found, wrong = list[bytes](), list[str]()
        for upload in uploads:
            try:
                found.append(photo(upload.read()))
            except NotAPicture as no:
                wrong.append(f"“{(upload.name or '')[:60]}”: {no}")
        if wrong:
            again = "Choose another one" if self.most == 1 else "Choose all pictures again"
            raise forms.ValidationError([*wrong, f"{again}; nothing was sent yet."])
        return found


def shown(content: bytes) -> HttpResponse:
    """One that `PhotosField` gave; whether anybody keeps it is the caller's to say."""
    response = HttpResponse(content, content_type="image/jpeg")
    response["Content-Disposition"] = "inline"
    return response


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

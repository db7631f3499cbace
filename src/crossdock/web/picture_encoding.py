"""An uploaded picture drawn anew: decoded within limits and encoded again, so that nothing but its pixels is kept.

A photo from a phone says where it was taken (GPS in its EXIF data), and a few kilobytes of PNG can unfold to gigabytes
of pixels. Sizes are in pixels.
"""

import io
import struct
import warnings
import zlib
from typing import TYPE_CHECKING

# Pillow is imported with the first picture: most processes never see one.
if TYPE_CHECKING:
    from PIL import Image

MOST_PIXELS = 50_000_000
LONGEST_SIDE = 2400
# Of a photo that shows what is wrong with something: two sides look at it a few times.
PHOTO_SIDE = 1600
# Of the marketplace's own marks: twice what a page shows them at.
LOGO, ICON = (480, 120), 192
_ENDINGS = {"PNG": "png", "JPEG": "jpg", "WEBP": "webp"}
_SAVING: dict[str, dict[str, object]] = {
    "PNG": {"optimize": True},
    "JPEG": {"quality": 88, "optimize": True, "progressive": True},
    "WEBP": {"quality": 88},
}
# What Pillow's readers raise on files that are cut off or inconsistent.
_UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error)


class NotAPicture(ValueError):
    """The message says what to choose instead."""


def redraw(content: bytes) -> tuple[bytes, str]:
    """The picture as bytes of the same format, with its file ending (png, jpg or webp). Upright, in sRGB, at most
    LONGEST_SIDE a side, of an animation the first frame. Raises NotAPicture.
    """
    drawn, form = _drawn(content, LONGEST_SIDE)
    target = io.BytesIO()
    drawn.save(target, form, **_SAVING[form])
    return target.getvalue(), _ENDINGS[form]


def photo(content: bytes) -> bytes:
    """The same as a small JPEG, whatever it was; on white where something showed through. Raises NotAPicture."""
    from PIL import Image

    drawn, _ = _drawn(content, PHOTO_SIDE)
    if drawn.mode == "RGBA":
        white = Image.new("RGB", drawn.size, "white")
        white.paste(drawn, mask=drawn.getchannel("A"))
        drawn = white
    target = io.BytesIO()
    drawn.save(target, "JPEG", **_SAVING["JPEG"])
    return target.getvalue()


def logo(content: bytes) -> tuple[bytes, str]:
    """What stands beside a name, at most LOGO pixels, as a PNG with its file ending. Raises NotAPicture."""
    return _as_png(_drawn(content, LONGEST_SIDE)[0], LOGO, square=False), "png"


def icon(content: bytes) -> tuple[bytes, str]:
    """What stands on a browser's tab: a square of at most ICON pixels, filled up with nothing, as a PNG. Raises
    NotAPicture.
    """
    return _as_png(_drawn(content, LONGEST_SIDE)[0], (ICON, ICON), square=True), "png"


def _as_png(drawn: "Image.Image", box: tuple[int, int], *, square: bool) -> bytes:
    from PIL import Image

    drawn.thumbnail(box)
    side = max(drawn.size)
    if square and drawn.size != (side, side):
        whole = Image.new("RGBA", (side, side))
        whole.paste(drawn, ((side - drawn.width) // 2, (side - drawn.height) // 2))
        drawn = whole
    target = io.BytesIO()
    drawn.save(target, "PNG", **_SAVING["PNG"])
    return target.getvalue()


def _drawn(content: bytes, longest: int) -> tuple["Image.Image", str]:
    """Its pixels, and the name of the format that they came in."""
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image: Image.Image = Image.open(io.BytesIO(content), formats=list(_ENDINGS))
    except Image.DecompressionBombError:
        raise NotAPicture(_too_large()) from None
    except _UNREADABLE:
        raise NotAPicture("Choose a PNG, JPEG or WebP picture; this file is none.") from None
    # The header alone has been read so far.
    if image.width * image.height > MOST_PIXELS:
        raise NotAPicture(_too_large())
    # A phone's photo that carries a second picture (its depth, its preview) is a JPEG whose first one is the photo.
    form = "JPEG" if image.format == "MPO" else str(image.format)
    try:
        if image.mode.startswith("I;16"):
            # Otherwise all that is brighter than 255 of 65,535 would be white.
            image = image.point(lambda value: value * (1 / 256)).convert("L")
        if image.mode == "P":
            # Colours of a palette cannot be mixed, so it would be scaled by leaving pixels out.
            image = image.convert("RGBA" if image.has_transparency_data else "RGB")
        image.thumbnail((longest, longest))
        return _plain(ImageOps.exif_transpose(image)), form
    except _UNREADABLE:
        raise NotAPicture("This picture is damaged. Save it again, or choose another one.") from None


def _plain(image: "Image.Image") -> "Image.Image":
    """RGB, or RGBA where something shows through, in a new image that carries none of the file's data along."""
    from PIL import Image

    mode = "RGBA" if image.has_transparency_data else "RGB"
    image = _in_srgb(image).convert(mode)
    plain = Image.new(mode, image.size)
    plain.paste(image)
    return plain


def _in_srgb(image: "Image.Image") -> "Image.Image":
    """The colour profile goes with the rest of the data, so the colours are converted first."""
    from PIL import ImageCms

    profile = image.info.get("icc_profile")
    if not profile or image.mode not in ("RGB", "CMYK"):
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        return image
    return converted or image


def _too_large() -> str:
    return f"Choose a picture of up to {MOST_PIXELS // 1_000_000} megapixels; this one has more."

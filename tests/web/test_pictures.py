"""What is kept of an uploaded picture: its pixels, upright and in sRGB, and nothing else that the file says."""

import io
import resource
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import ExifTags, Image, ImageCms

from crossdock.web.picture_encoding import LONGEST_SIDE, NotAPicture, redraw
from crossdock.web.pictures import keep

RED, BLUE = (200, 30, 30), (20, 40, 200)


def picture(form: str, size: tuple[int, int] = (40, 20), mode: str = "RGB", **saving: object) -> bytes:
    """Left half red, right half blue."""
    image = Image.new("RGB", size, RED)
    image.paste(BLUE, (size[0] // 2, 0, *size))
    target = io.BytesIO()
    image.convert(mode).save(target, form, **saving)
    return target.getvalue()


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def near(found: object, wanted: tuple[int, ...]) -> bool:
    assert isinstance(found, tuple)
    return all(abs(one - other) <= 12 for one, other in zip(found, wanted, strict=True))


def taken_in_lisbon(turned: int = 1) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = turned
    exif[ExifTags.Base.Make] = "Lantern Phones"
    exif.get_ifd(ExifTags.IFD.GPSInfo).update({1: "N", 2: (38.0, 43.0, 0.0), 3: "W", 4: (9.0, 8.0, 0.0)})
    return exif


@pytest.mark.parametrize(("form", "ending"), [("PNG", "png"), ("JPEG", "jpg"), ("WEBP", "webp")])
def test_where_a_photo_was_taken_is_not_kept(form: str, ending: str) -> None:
    content = picture(form, exif=taken_in_lisbon())
    assert b"Lantern Phones" in content
    kept, kept_ending = redraw(content)
    assert kept_ending == ending and opened(kept).format == form
    assert not opened(kept).getexif() and b"Lantern" not in kept
    assert not {"exif", "xmp", "icc_profile", "comment"} & set(opened(kept).info)


def test_words_in_a_png_are_not_kept() -> None:
    from PIL.PngImagePlugin import PngInfo

    words = PngInfo()
    words.add_text("Author", "Maren at home")
    content = picture("PNG", pnginfo=words)
    assert b"Maren at home" in content and b"Maren" not in redraw(content)[0]


def test_a_photo_held_sideways_stands_upright() -> None:
    kept = opened(redraw(picture("JPEG", exif=taken_in_lisbon(turned=6)))[0])
    assert kept.size == (20, 40)
    assert near(kept.getpixel((10, 5)), RED) and near(kept.getpixel((10, 35)), BLUE)


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_what_shows_through_still_does(form: str) -> None:
    image = Image.new("RGBA", (10, 10), (*RED, 0))
    target = io.BytesIO()
    image.save(target, form, lossless=True)
    kept = opened(redraw(target.getvalue())[0])
    assert kept.mode == "RGBA" and kept.getpixel((5, 5))[3] == 0  # type: ignore[index]


def test_colours_of_a_profile_become_srgb() -> None:
    """The profile here has the primaries for red and blue exchanged: what it calls red is blue."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exchanged = profile.replace(b"rXYZ", b"????", 1).replace(b"bXYZ", b"rXYZ", 1).replace(b"????", b"bXYZ", 1)
    assert near(opened(redraw(picture("PNG", icc_profile=profile))[0]).getpixel((3, 3)), RED)
    kept = opened(redraw(picture("PNG", icc_profile=exchanged))[0])
    assert near(kept.getpixel((3, 3)), (RED[2], RED[1], RED[0])) and "icc_profile" not in kept.info


def test_a_broken_profile_costs_the_profile_only() -> None:
    kept = opened(redraw(picture("PNG", icc_profile=b"no profile at all"))[0])
    assert near(kept.getpixel((3, 3)), RED)


@pytest.mark.parametrize("mode", ["CMYK", "L"])
def test_printers_and_grey_jpegs_become_what_browsers_show(mode: str) -> None:
    assert opened(redraw(picture("JPEG", mode=mode))[0]).mode == "RGB"


def test_a_palette_keeps_its_colours() -> None:
    content = picture("PNG", mode="P")
    kept = opened(redraw(content)[0])
    assert kept.mode == "RGB" and kept.getpixel((3, 3)) == opened(content).convert("RGB").getpixel((3, 3))


def test_a_large_photo_is_scaled_down_in_proportion() -> None:
    assert opened(redraw(picture("JPEG", (4800, 1200)))[0]).size == (LONGEST_SIDE, LONGEST_SIDE // 4)


def test_of_an_animation_the_first_frame_is_kept() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, BLUE)]
    target = io.BytesIO()
    frames[0].save(target, "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    kept = opened(redraw(target.getvalue())[0])
    assert getattr(kept, "n_frames", 1) == 1 and near(kept.getpixel((4, 4)), RED)


def png_of(width: int, height: int) -> bytes:
    """A PNG whose header alone is believable."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\x00" * 64))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(("width", "height"), [(60_000, 60_000), (10_000, 5_001), (2_000_000, 30)])
def test_more_pixels_than_fit_are_refused_before_they_are_unfolded(width: int, height: int) -> None:
    with pytest.raises(NotAPicture, match="up to 50 megapixels"):
        redraw(png_of(width, height))


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_a_file_cut_off_anywhere_is_a_sentence_or_a_picture(form: str) -> None:
    content = picture(form, exif=taken_in_lisbon())
    sentences = set()
    for length in range(len(content)):
        try:
            opened(redraw(content[:length])[0])
        except NotAPicture as problem:
            sentences.add(str(problem))
    assert sentences <= {
        "Choose a PNG, JPEG or WebP picture; this file is none.",
        "This picture is damaged. Save it again, or choose another one.",
    }
    assert len(sentences) == 2 or form == "WEBP"


@pytest.mark.parametrize("form", ["GIF", "BMP", "TIFF", "ICO"])
def test_other_formats_are_refused(form: str) -> None:
    with pytest.raises(NotAPicture, match="PNG, JPEG or WebP"):
        redraw(picture(form))


def test_the_same_picture_gives_the_same_bytes() -> None:
    content = picture("JPEG", exif=taken_in_lisbon())
    assert redraw(content) == redraw(content)


def test_a_phone_s_photo_with_a_second_picture_is_its_first() -> None:
    target = io.BytesIO()
    Image.new("RGB", (40, 20), RED).save(target, "MPO", save_all=True, append_images=[Image.new("RGB", (40, 20), BLUE)])
    kept, ending = redraw(target.getvalue())
    assert ending == "jpg" and opened(kept).format == "JPEG" and near(opened(kept).getpixel((0, 0)), RED)


def test_a_scan_with_sixteen_bits_does_not_turn_white() -> None:
    target = io.BytesIO()
    Image.new("I;16", (10, 10), 100 * 256).save(target, "PNG")
    assert near(opened(redraw(target.getvalue())[0]).getpixel((5, 5)), (100, 100, 100))


def test_a_picture_for_which_there_is_no_room_is_refused_in_words_and_leaves_no_half(
    settings: Any, tmp_path: Path
) -> None:
    """The whole one is taken once there is room: half of it under its name would have been believed."""
    settings.MEDIA_ROOT = tmp_path
    upload = SimpleUploadedFile("card.png", picture("PNG", (300, 300)), "image/png")
    _, most = before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, most))
    try:
        with pytest.raises(NotAPicture, match="no room for pictures"):
            keep(upload)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    upload.seek(0)
    assert keep(upload).startswith("/media/")
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1

#!/usr/bin/env bash
# Package:   python-barcode 0.16.1 and zxing-cpp 3.1.1 (pillow 13.0.0)
# Expected:  "(00)123456789012345675" is how a serial shipping container code is written for people; the brackets are
#            never part of the symbol (GS1 General Specifications, human readable interpretation). A library with a class
#            for GS1-128 drops them or refuses them, and a decoder tells a symbol that holds brackets from one that does
#            not.
# Happens:   python-barcode's `gs1_128` prints the brackets into the symbol as characters, without a word. zxing-cpp
#            decodes the right and the wrong symbol to the same `text`, since it adds brackets of its own when it shows
#            GS1 data; only `bytes` differ.
# Matters:   A test that prints a parcel's label and reads it back passes, and the carrier's scanner finds no application
#            identifier in it.
# Seen:      2026-11-29
#   (00)123456789012345675 -> text (00)123456789012345675, bytes (00)123456789012345675
#   00123456789012345675 -> text (00)123456789012345675, bytes 00123456789012345675
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check python-barcode==0.16.1 zxing-cpp==3.1.1 pillow==13.0.0
"$folder/env/bin/python" - <<'PY'
import io

import barcode
import zxingcpp
from barcode.writer import ImageWriter
from PIL import Image


def printed_and_read(code: str) -> tuple[str, str]:
    file = io.BytesIO()
    barcode.get("gs1_128", code, writer=ImageWriter()).write(file, {"write_text": False})
    (found,) = zxingcpp.read_barcodes(Image.open(file).convert("L"))
    print(f"{code} -> text {found.text}, bytes {found.bytes.decode()}")
    return found.text, found.bytes.decode()


wrong = printed_and_read("(00)123456789012345675")
right = printed_and_read("00123456789012345675")
assert wrong == ("(00)123456789012345675", "(00)123456789012345675"), "the brackets are no longer printed"
assert right == ("(00)123456789012345675", "00123456789012345675"), "the decoder shows the right symbol otherwise"
PY

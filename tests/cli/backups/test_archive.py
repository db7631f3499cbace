"""A backup file from somebody else's hands: what our command did not write is refused before anything is unpacked."""

import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from crossdock.cli.backups import archive, seal
from crossdock.cli.backups.archive import Contents
from crossdock.cli.backups.seal import Seal
from crossdock.cli.trouble import Trouble

KEY, OTHER = (Fernet.generate_key().decode() for _ in range(2))
PICTURE = f"pictures/{'a' * 40}.png"
DATA = {archive.DUMP: b"PGDMP and more", PICTURE: b"a picture"}


def plain(name: str, data: bytes) -> tuple[tarfile.TarInfo, bytes]:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    return member, data


def odd(name: str, kind: bytes) -> tuple[tarfile.TarInfo, bytes]:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, "/etc/passwd"
    return member, b""


def contents_of(data: dict[str, bytes]) -> Contents:
    hashes = {name: hashlib.sha256(value).hexdigest() for name, value in data.items()}
    pictures = {name.removeprefix("pictures/"): sha for name, sha in hashes.items() if name != archive.DUMP}
    return Contents("2026-11-29T12:00:00+00:00", "0.1", hashes[archive.DUMP], {}, {}, pictures, [seal.fingerprint(KEY)])


def written(
    file: Path,
    *more: tuple[tarfile.TarInfo, bytes],
    data: dict[str, bytes] = DATA,
    listed: Contents | None = None,
    key: str = KEY,
    unsealed: bool = False,
) -> Path:
    """A backup as ours are, with `more` before its list."""
    text = json.dumps(asdict(listed or contents_of(data))).encode()
    rows = [*(plain(name, value) for name, value in data.items()), *more, plain(archive.LIST, text)]
    rows += [] if unsealed else [plain(archive.SEAL, seal.sealed(text, key))]
    with tarfile.open(file, "w", format=tarfile.GNU_FORMAT) as tar:
        for member, value in rows:
            tar.addfile(member, io.BytesIO(value))
    return file


def looked_at(file: Path, keys: Sequence[str] = (KEY,)) -> tuple[Seal, list[str]]:
    folder = file.parent / "unpacked"
    folder.mkdir(exist_ok=True)
    with archive.opened(file, folder, keys) as found:
        return found.seal, [name for name, _ in found.pictures()]


def test_one_of_ours_is_opened(tmp_path: Path) -> None:
    assert looked_at(written(tmp_path / "b"), (OTHER, KEY)) == (Seal.PROVED, [PICTURE.removeprefix("pictures/")])


@pytest.mark.parametrize(
    ("member", "said"),
    [
        (plain(PICTURE, b"a picture"), "twice"),
        (plain(archive.DUMP, b"PGDMP and more"), "twice"),
        (plain(archive.LIST, b"{}"), "twice"),
        (plain(f"pictures/{'b' * 40}.png", b"another"), "not in its list"),
        (plain("pictures/../../up.png", b"up"), "a name that no backup has"),
        (plain("/etc/cron.d/job", b"up"), "a name that no backup has"),
        (plain("README", b"read me"), "a name that no backup has"),
        (odd(f"pictures/{'c' * 40}.png", tarfile.SYMTYPE), "no plain file"),
        (odd(f"pictures/{'c' * 40}.png", tarfile.LNKTYPE), "no plain file"),
        (odd(f"pictures/{'c' * 40}.png", tarfile.GNUTYPE_SPARSE), "no plain file"),
        (odd(f"pictures/{'c' * 40}.png", tarfile.CHRTYPE), "no plain file"),
        (odd("pictures", tarfile.DIRTYPE), "no plain file"),
    ],
)
def test_what_our_command_did_not_write_is_refused(
    tmp_path: Path, member: tuple[tarfile.TarInfo, bytes], said: str
) -> None:
    file = written(tmp_path / "b", member)
    with pytest.raises(Trouble, match=f"not as `crossdock backup` wrote it: .*{said}"):
        looked_at(file)
    assert list((tmp_path / "unpacked").glob("pictures*")) == []


def swapped(file: Path) -> Path:
    """Another dump with a list that fits it: without the key its seal cannot be made."""
    other = {**DATA, archive.DUMP: b"PGDMP with one more admin"}
    return written(file, data=other, key=OTHER)


def resealed(file: Path) -> Path:
    """The same, and the seal says that it was ours."""
    written(file, data={**DATA, archive.DUMP: b"PGDMP with one more admin"}, key=OTHER)
    ours, theirs = seal.fingerprint(KEY).encode(), seal.fingerprint(OTHER).encode()
    whole = file.read_bytes()
    at = whole.rindex(theirs)
    file.write_bytes(whole[:at] + ours + whole[at + len(theirs) :])
    return file


def test_a_swapped_file_is_noticed_with_the_keys(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="changed after it was written"):
        looked_at(resealed(tmp_path / "b"))


@pytest.mark.parametrize(
    ("made", "found"), [(swapped, Seal.ANOTHER_KEY), (lambda file: written(file, unsealed=True), Seal.NONE)]
)
def test_what_cannot_be_proved_is_not_called_proved(tmp_path: Path, made: Callable[[Path], Path], found: Seal) -> None:
    assert looked_at(made(tmp_path / "b"))[0] is found


def test_a_list_from_before_anything_was_left_out_is_read(tmp_path: Path) -> None:
    file = written(tmp_path / "b")
    file.write_bytes(file.read_bytes().replace(b', "left_out": []', b"                "))
    with pytest.raises(Trouble, match="changed after it was written"):
        looked_at(file)
    assert (
        archive._read(
            b'{"made_at": "", "version": "", "database": "", "rows": {}, "figures": {}, "pictures": {},'
            b' "vault_keys": []}'
        ).left_out
        == []
    )

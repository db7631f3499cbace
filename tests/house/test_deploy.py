"""What `deploy/` names is there: commands and their words, settings, files, ports, the health check's address.

Images are not built and containers not started here; the units are read by systemd where it is installed.
"""

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from configparser import ConfigParser
from importlib import import_module
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from crossdock.cli.main import COMMANDS
from crossdock.config import PREFIX, Config
from crossdock_lab.patience import patient
from crossdock_lab.ports import free_ports

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
# What the units and the image put first.
PROGRAM = "/opt/crossdock/.venv/bin/crossdock"
SETTINGS = {PREFIX + name.removesuffix("_given").upper() for name in Config.model_fields}


class Several(dict[str, Any]):
    """A unit's keys may be repeated; the values stand in lines."""

    def __setitem__(self, key: str, value: Any) -> None:
        if isinstance(value, list) and key in self:
            value = [*self[key], *value]
        super().__setitem__(key, value)


def unit(path: Path) -> ConfigParser:
    read = ConfigParser(strict=False, interpolation=None, dict_type=Several)
    read.optionxform = str  # type: ignore[assignment,method-assign]
    read.read_string(path.read_text())
    return read


def lines(read: ConfigParser, section: str, key: str) -> list[str]:
    return [line for line in read.get(section, key, fallback="").splitlines() if line]


def valid(words: list[str]) -> str:
    """The command that these words give; they are read as the program reads them."""
    command, *rest = words
    parser = argparse.ArgumentParser(exit_on_error=False)
    import_module(f"crossdock.cli.{COMMANDS[command][0]}").words(parser)
    parser.parse_args(rest)
    return command


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return read


@pytest.fixture(scope="module")
def recipe() -> list[tuple[str, str]]:
    """(instruction, its words), lines joined."""
    text = re.sub(r"\\\n\s*", " ", (DEPLOY / "Containerfile").read_text())
    told = [line.partition(" ") for line in text.splitlines() if line and not line.startswith("#")]
    return [(word.upper(), rest) for word, _, rest in told]


def _of(recipe: list[tuple[str, str]], word: str) -> list[str]:
    return [rest for each, rest in recipe if each == word]


class TestTheImage:
    def test_it_does_not_run_as_root_and_its_words_are_commands(self, recipe: list[tuple[str, str]]) -> None:
        (user,) = _of(recipe, "USER")
        assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user), "a number, so that an orchestrator sees that it is not root"
        assert recipe.index(("USER", user)) > max(i for i, (word, _) in enumerate(recipe) if word in ("RUN", "COPY"))
        assert json.loads(_of(recipe, "ENTRYPOINT")[0]) == ["crossdock"]
        assert valid(json.loads(_of(recipe, "CMD")[0])) == "serve"

    def test_every_package_is_held_against_its_hash_and_every_file_is_there(
        self, recipe: list[tuple[str, str]]
    ) -> None:
        installs = [
            part
            for run in _of(recipe, "RUN")
            for part in re.split(r"&&|;", run)
            if re.search(r"pip (?:install|wheel)", part)
        ]
        assert installs
        for install in installs:
            assert "--require-hashes" in install or "--no-deps" in install, install
            for lock in re.findall(r"-r (\S+)", install):
                assert "--hash=sha256:" in (ROOT / lock).read_text()
        copied = [words.split()[:-1] for words in _of(recipe, "COPY") if not words.startswith("--from")]
        for name in (each for words in copied for each in words):
            assert (ROOT / name).exists(), name
            assert name != ".", "a whole folder could carry keys or data"

    def test_its_settings_are_known(self, recipe: list[tuple[str, str]]) -> None:
        named = set(re.findall(r"\bCROSSDOCK_\w+", (DEPLOY / "Containerfile").read_text()))
        assert named and named <= SETTINGS

    @pytest.mark.django_db(transaction=True)
    def test_its_health_check_is_answered(self, recipe: list[tuple[str, str]], live_server: Any) -> None:
        """The very words of the recipe, against a server that answers and against one that is not there."""
        _, _, command = _of(recipe, "HEALTHCHECK")[0].partition("CMD ")
        words = json.loads(command)
        assert words[0] == "python"
        # Only the patience is another: a busy machine's first answer takes its time.
        words[2] = re.sub(r"timeout=\d+", f"timeout={patient(60)}", words[2])
        port = live_server.url.rpartition(":")[2]
        assert self._asked(words, port) == 0
        assert self._asked(words, str(free_ports())) != 0

    def _asked(self, words: list[str], port: str) -> int:
        environment = {**os.environ, "CROSSDOCK_WEB_PORT": port}
        done = subprocess.run(
            [sys.executable, *words[1:]], env=environment, capture_output=True, timeout=patient(60), check=False
        )
        return done.returncode


class TestCompose:
    def test_the_services_say_what_the_program_takes(self, compose: dict[str, Any]) -> None:
        ours = {name: each for name, each in compose["services"].items() if "Containerfile" in str(each.get("build"))}
        assert {valid(each["command"]) for each in ours.values()} == {"serve", "work", "migrate"}
        for each in ours.values():
            assert {name for name in each["environment"] if name.startswith(PREFIX)} == set(each["environment"])
            assert set(each["environment"]) <= SETTINGS
            assert each["read_only"] and each["cap_drop"] == ["ALL"]
            build = each["build"]
            assert (DEPLOY / build["context"] / build["dockerfile"]).is_file()

    def test_only_the_proxy_is_reached_from_outside_and_only_it_is_believed(self, compose: dict[str, Any]) -> None:
        services = compose["services"]
        assert [name for name, each in services.items() if each.get("ports")] == ["proxy"]
        assert services["db"]["networks"] == ["inside"] and compose["networks"]["inside"]["internal"]
        assert services["proxy"]["networks"] == ["outside"]
        (shared,) = compose["networks"]["outside"]["ipam"]["config"]
        assert ip_network(services["web"]["environment"]["CROSSDOCK_TRUSTED_PROXIES"]) == ip_network(shared["subnet"])

    def test_nothing_starts_before_what_it_needs(self, compose: dict[str, Any]) -> None:
        services = compose["services"]
        for name, each in services.items():
            for needed, how in each.get("depends_on", {}).items():
                assert needed in services
                if how["condition"] == "service_healthy":
                    check = services[needed].get("healthcheck")
                    assert needed == "web" or check["test"], "the image's own, or the service's"
            assert {mount.split(":")[0] for mount in each.get("volumes", []) if mount[0] != "."} <= set(
                compose["volumes"]
            ), name
        assert "migrate" in services["web"]["depends_on"] and "migrate" in services["worker"]["depends_on"]

    def test_every_value_that_it_asks_for_is_in_the_example(self) -> None:
        asked = set(re.findall(r"\$\{(\w+)", (DEPLOY / "compose.yaml").read_text()))
        example = dict(
            line.split("=", 1) for line in (DEPLOY / "env.example").read_text().splitlines() if line[0] != "#"
        )
        assert asked <= set(example)
        assert {name for name in example if name.startswith(PREFIX)} <= SETTINGS
        assert [name for name in ("POSTGRES_PASSWORD", "SECRET_KEY", "VAULT_KEYS") if example[name]] == []
        assert "/deploy/.env\n" in (ROOT / ".gitignore").read_text()

    def test_traces_go_to_a_service_beside_it_that_the_world_cannot_reach(self, compose: dict[str, Any]) -> None:
        beside: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.traces.yaml").read_text())["services"]
        there = compose["services"]
        added = {name: each for name, each in beside.items() if name not in there}
        assert set(beside) - set(added) == {"web", "worker"}
        for name in ("web", "worker"):
            (setting,) = beside[name]["environment"].items()
            assert setting[0] in SETTINGS
            where = urlsplit(Config(traces_url=setting[1]).traces_url)
            assert where.hostname in added and where.path == "/v1/traces"
            assert set(there[name]["networks"]) & set(added[str(where.hostname)]["networks"])
        for each in added.values():
            assert all(port.startswith("127.0.0.1:") for port in each["ports"]) and each["cap_drop"] == ["ALL"]

    def test_the_proxy_has_time_outs_and_calls_the_web_server(self, compose: dict[str, Any]) -> None:
        text = (DEPLOY / "Caddyfile").read_text()
        assert text.count("{") == text.count("}")
        assert set(re.findall(r"(read_header|read_body|write|idle) \d+s", text)) == {
            "read_header",
            "read_body",
            "write",
            "idle",
        }
        host, port = re.findall(r"reverse_proxy (\w+):(\d+)", text)[0]
        assert host in compose["services"]
        assert f"CROSSDOCK_WEB_PORT={port}" in (DEPLOY / "Containerfile").read_text()


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
class TestUnits:
    def test_what_it_starts_exists(self, path: Path) -> None:
        read = unit(path)
        for words in map(shlex.split, lines(read, "Service", "ExecStart")):
            assert words[0] == PROGRAM
            valid(words[1:])
        for setting in lines(read, "Service", "Environment"):
            assert setting.partition("=")[0] in SETTINGS | {"TMPDIR"}
        needed = " ".join(lines(read, "Unit", "Requires")).split()
        assert all((DEPLOY / "systemd" / name).is_file() for name in needed)

    def test_it_may_do_little(self, path: Path) -> None:
        read = unit(path)
        assert lines(read, "Service", "User") == ["crossdock"]
        for key in ("NoNewPrivileges", "PrivateTmp", "PrivateDevices", "ProtectHome", "RestrictSUIDSGID"):
            assert lines(read, "Service", key) == ["yes"], key
        assert lines(read, "Service", "ProtectSystem") == ["strict"]
        assert read.get("Service", "CapabilityBoundingSet") == ""


def _for_systemd(folder: Path) -> Iterator[Path]:
    """The units with a program that is here, since systemd looks for it."""
    for path in sorted((DEPLOY / "systemd").iterdir()):
        target = folder / path.name
        target.write_text(path.read_text().replace(PROGRAM, "/bin/true"))
        yield target


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed here")
def test_systemd_reads_the_units(tmp_path: Path) -> None:
    words = ["systemd-analyze", "verify", *_for_systemd(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=patient(60), check=False)
    said = [line for line in done.stderr.splitlines() if str(tmp_path) in line or "crossdock" in line]
    assert (done.returncode, said) == (0, [])

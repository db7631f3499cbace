"""Settings from the environment: typed, and one sentence when wrong, which names the setting and never shows its
value.
"""

import os
import re
import stat
import subprocess
import sys
from ipaddress import ip_network
from pathlib import Path

import pytest

from crossdock import config

GOOD_KEY = "A" * 43 + "="


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [*os.environ]:
        if name.startswith("CROSSDOCK_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("CROSSDOCK_DATA", str(tmp_path / "data"))


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("CROSSDOCK_WEB_PORT", "abc", "valid integer"),
        ("CROSSDOCK_WEB_PORT", "70000", "65535"),
        ("DATABASE_URL", "mysql://geheim@x/y", "postgresql://"),
        ("PUBLIC_URL", "geheim", "https://market.example.com"),
        ("PUBLIC_URL", "https://x.example/geheim", "without a path"),
        ("VAULT_KEYS", f"{GOOD_KEY},geheim", "key 2"),
        ("TRUSTED_PROXIES", "10.0.0.300", "network"),
        ("CROSSDOCK_WEB_PROT", "1", "did you mean CROSSDOCK_WEB_PORT?"),
        ("CROSSDOCK_DATA", "geheim", "absolute"),
        ("CROSSDOCK_TRACES_URL", "http://collector.geheim.example/v1/traces", "https address"),
        ("CROSSDOCK_TRACES_URL", "https://geheim@collector.example/v1/traces", "https address"),
        ("CROSSDOCK_TRACES_URL", "geheim", "https address"),
        ("CROSSDOCK_ERROR_DSN", "http://geheim@errors.example.com/1", "http on this machine alone"),
        ("CROSSDOCK_AUDIT_TO", "tcp://geheim.example.com:601", "must look like tls://"),
        ("CROSSDOCK_AUDIT_TO", "tls://geheim.example.com", "must look like tls://"),
        ("CROSSDOCK_AUDIT_TO", "udp://127.0.0.1:514/geheim", "must look like tls://"),
        ("CROSSDOCK_OIDC_ISSUER", "http://geheim.example.com", "http on this machine alone"),
        ("CROSSDOCK_OIDC_CLIENT_SECRET_FILE", "/geheim/none", "this user may read"),
        ("CROSSDOCK_ERROR_DSN", "https://errors.example.com/geheim", "key@"),
        ("CROSSDOCK_TRACES_HEADERS", "Authorization: Bearer geheim", "name=value"),
        ("CROSSDOCK_TRACES_SHARE", "1.5", "less than or equal to 1"),
        ("CROSSDOCK_SMTP_SECURITY", "geheim", "'starttls', 'tls' or 'none'"),
    ],
)
def test_a_wrong_setting_is_one_sentence(monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(config.WrongSetting) as wrong:
        config.load()
    sentence = str(wrong.value)
    assert name in sentence
    assert says in sentence
    assert "geheim" not in sentence
    assert "\n" not in sentence


def test_a_wrong_setting_ends_the_program_without_a_traceback(tmp_path: Path) -> None:
    environment = {**os.environ, "CROSSDOCK_WEB_PORT": "none", "CROSSDOCK_DATA": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", "import crossdock.settings"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("crossdock: The setting CROSSDOCK_WEB_PORT is wrong:")
    assert len(done.stderr.splitlines()) == 1


def test_lists_take_commas_and_spaces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUSTED_PROXIES", "10.0.0.0/8, 127.0.0.1 ::1")
    assert config.load().trusted_proxies == (ip_network("10.0.0.0/8"), ip_network("127.0.0.1"), ip_network("::1"))


def test_plain_names_work_with_the_prefix_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSDOCK_PUBLIC_URL", "https://market.example/")
    assert config.load().public_url == "https://market.example"
    assert config.load().https


def test_an_operator_s_apps_are_gathered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSDOCK_APP_ACME_CLIENT_ID", "abc")
    monkeypatch.setenv("CROSSDOCK_APP_ACME_CLIENT_SECRET", "def")
    monkeypatch.setenv("CROSSDOCK_APP_OTHER_KEY", "")
    assert config.load().apps == {"acme": {"client_id": "abc", "client_secret": "def"}}


def test_strangers_shops_are_not_local_unless_the_operator_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not config.load().local_shops
    monkeypatch.setenv("CROSSDOCK_DEMO", "true")
    assert config.load().local_shops
    monkeypatch.setenv("CROSSDOCK_ALLOW_LOCAL_SHOPS", "false")
    assert not config.load().local_shops


@pytest.mark.parametrize(
    ("demo", "url", "needed"),
    [
        ("false", "", True),
        ("false", "http://127.0.0.1:8000", True),
        ("false", "https://market.example", True),
        ("true", "", False),
        ("true", "http://127.0.0.1:8000", False),
        ("true", "https://market.example", True),
        ("true", "http://192.168.1.5", True),
    ],
)
def test_only_a_demo_on_this_machine_spares_staff_the_second_factor(
    monkeypatch: pytest.MonkeyPatch, demo: str, url: str, needed: bool
) -> None:
    monkeypatch.setenv("CROSSDOCK_DEMO", demo)
    monkeypatch.setenv("PUBLIC_URL", url)
    assert config.load().staff_second_factor is needed


def test_a_demo_that_listens_to_the_network_asks_staff_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSDOCK_DEMO", "true")
    monkeypatch.setenv("CROSSDOCK_WEB_HOST", "0.0.0.0")
    assert config.load().staff_second_factor


def test_keys_are_made_once_and_only_for_their_owner() -> None:
    first = config.load()
    assert (first.secret_key, first.vault_keys) == (config.load().secret_key, config.load().vault_keys)
    assert first.secret_key != first.vault_keys[0]
    for file in first.keys_folder.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(first.keys_folder.stat().st_mode) == 0o700
    assert sorted(file.name for file in first.keys_folder.iterdir()) == ["secret.key", "vault.keys"]


def test_processes_that_start_together_agree_on_the_key(tmp_path: Path) -> None:
    code = "from crossdock import config; c = config.load(); print(c.secret_key, *c.vault_keys)"
    started = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=dict(os.environ)) for _ in range(4)
    ]
    assert len({process.communicate()[0] for process in started}) == 1


def test_an_empty_key_file_is_refused_not_replaced(tmp_path: Path) -> None:
    file = tmp_path / "data" / "keys" / "vault.keys"
    file.parent.mkdir(parents=True)
    file.touch()
    with pytest.raises(config.WrongSetting, match="is empty; restore it from a backup"):
        _ = config.load().vault_keys
    assert file.read_text() == ""


def test_the_key_of_the_environment_leaves_no_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VAULT_KEYS", GOOD_KEY)
    monkeypatch.setenv("SECRET_KEY", "s" * 50)
    loaded = config.load()
    assert (loaded.vault_keys, loaded.secret_key) == ((GOOD_KEY,), "s" * 50)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("folder", ["/home/someone/.local/share/crossdock", "/srv/with a space/data"])
def test_the_socket_stands_in_the_data_folder(folder: str) -> None:
    assert config.Config(data=Path(folder)).socket_folder == Path(folder) / "run"


@pytest.mark.parametrize("folder", ["/srv/" + "long/" * 20, "/srv/a,b", "/srv/größe"])
def test_a_path_that_no_socket_can_have_gets_a_short_one(folder: str) -> None:
    socket = config.Config(data=Path(folder)).socket_folder
    assert len(os.fsencode(socket / ".s.PGSQL.5432")) < 100
    assert socket == config.Config(data=Path(folder)).socket_folder
    assert socket != config.Config(data=Path(folder + "x")).socket_folder


def test_a_collector_beside_the_servers_and_what_it_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    for url in ("https://c.example/v1/traces", "http://127.0.0.1:4318/v1/traces", "http://jaeger:4318/v1/traces"):
        monkeypatch.setenv("CROSSDOCK_TRACES_URL", url)
        assert config.load().traces_url == url
    monkeypatch.setenv("CROSSDOCK_TRACES_HEADERS", "Authorization=Bearer%20a=b, X-Team=7")
    assert config.load().traces_sent_with == {"Authorization": "Bearer a=b", "X-Team": "7"}


def test_the_data_folder_of_root_and_of_a_user() -> None:
    assert config.default_data_folder({}, uid=0) == Path("/var/lib/crossdock")
    assert config.default_data_folder({"HOME": "/home/a"}, uid=1000) == Path("/home/a/.local/share/crossdock")
    assert config.default_data_folder({"HOME": "/home/a", "XDG_DATA_HOME": "/data"}, uid=1000) == Path(
        "/data/crossdock"
    )


@pytest.mark.parametrize(
    ("url", "cookie", "hsts"), [("https://market.example", "__Host-session", 31_536_000), ("", "session", 0)]
)
def test_https_makes_cookies_safe(tmp_path: Path, url: str, cookie: str, hsts: int) -> None:
    code = (
        "import crossdock.settings as s; print(s.SESSION_COOKIE_NAME, s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE,"
        " s.SECURE_HSTS_SECONDS)"
    )
    environment = {**os.environ, "PUBLIC_URL": url, "CROSSDOCK_DATA": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [cookie, str(bool(url)), str(bool(url)), str(hsts)]


def test_every_setting_is_documented_and_nothing_else() -> None:
    page = (Path(__file__).parents[1] / "docs" / "operations.md").read_text()
    table = page[page.index("## Settings") : page.index("## Backup")]
    named = set(re.findall(r"`CROSSDOCK_([A-Z_]+)`", table)) - {"APP_SHOPIFY_CLIENT_ID"}
    assert named == {name.removesuffix("_given").upper() for name in config.Config.model_fields}

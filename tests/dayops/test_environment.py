"""What the settings read from the environment, and how they refuse nonsense."""

from pathlib import Path
from urllib.parse import quote

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from dayops.environment import database_settings, flag, host_list, plotly_folder, secret_key

GOOD_SECRET = "k8Jw2LqZ9vXr5TnB7mYc4HdF6sGa3PeU1oRi0WtQ"


@pytest.mark.parametrize(
    ("text", "expected"), [("1", True), ("TRUE", True), (" on ", True), ("", False), ("no", False)]
)
def test_a_flag_is_yes_or_no(monkeypatch: pytest.MonkeyPatch, text: str, expected: bool) -> None:
    monkeypatch.setenv("DAYOPS_TEST_FLAG", text)
    assert flag("DAYOPS_TEST_FLAG") is bool(expected)


def test_a_flag_that_is_neither_is_refused_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAYOPS_TEST_FLAG", "maybe")
    with pytest.raises(ImproperlyConfigured, match="DAYOPS_TEST_FLAG='maybe' is neither"):
        flag("DAYOPS_TEST_FLAG")


def test_a_flag_that_is_not_set_is_no() -> None:
    assert flag("DAYOPS_NEVER_SET") is False


def test_hosts_are_separated_by_commas_and_trimmed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAYOPS_TEST_HOSTS", " a.example , b.example,,")
    assert host_list("DAYOPS_TEST_HOSTS", default=[]) == ["a.example", "b.example"]
    monkeypatch.setenv("DAYOPS_TEST_HOSTS", " ")
    assert host_list("DAYOPS_TEST_HOSTS", default=["localhost"]) == ["localhost"]


def test_a_database_url_is_taken_apart() -> None:
    found = database_settings("postgresql://da%40y:p%2Fw@db.example:5433/ops?sslmode=verify-full&connect_timeout=5")
    assert (found["USER"], found["PASSWORD"], found["HOST"], found["PORT"]) == ("da@y", "p/w", "db.example", 5433)
    assert (found["NAME"], found["OPTIONS"]) == ("ops", {"sslmode": "verify-full", "connect_timeout": "5"})


def test_a_socket_folder_is_a_host() -> None:
    found = database_settings("postgresql://dayops:x@/dayops?host=/tmp/dayops-1")
    assert (found["HOST"], found["PORT"], found["OPTIONS"]) == ("/tmp/dayops-1", "", {})


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=30))
def test_any_password_survives_the_address(password: str) -> None:
    found = database_settings(f"postgresql://dayops:{quote(password, safe='')}@h/d")
    assert found["PASSWORD"] == password


@pytest.mark.parametrize("url", ["mysql://h/d", "sqlite:///x", "h/d", ""])
def test_another_database_is_refused(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="postgresql://"):
        database_settings(url)


def test_a_given_secret_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DAYOPS_SECRET_KEY", GOOD_SECRET)
    assert secret_key(tmp_path, embedded=False) == GOOD_SECRET
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("weak", ["short", "a" * 60, "insecure" + GOOD_SECRET])
def test_a_weak_secret_is_refused_with_the_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, weak: str) -> None:
    monkeypatch.setenv("DAYOPS_SECRET_KEY", weak)
    for embedded in (True, False):
        with pytest.raises(ImproperlyConfigured, match=r"secrets\.token_urlsafe"):
            secret_key(tmp_path, embedded=embedded)


def test_a_site_without_a_secret_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DAYOPS_SECRET_KEY", raising=False)
    with pytest.raises(ImproperlyConfigured, match="needs DAYOPS_SECRET_KEY"):
        secret_key(tmp_path, embedded=False)


def test_an_embedded_start_makes_a_secret_and_keeps_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DAYOPS_SECRET_KEY", raising=False)
    made = secret_key(tmp_path, embedded=True)
    assert len(made) >= 50
    assert secret_key(tmp_path, embedded=True) == made
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0


def test_plotly_js_comes_from_the_wheel() -> None:
    assert (plotly_folder() / "plotly.min.js").stat().st_size > 1_000_000

"""What the settings read from the environment, each in one typed function."""

import os
from importlib.util import find_spec
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from dayops.embedded import kept_secret

_TOO_SHORT = 32


def flag(name: str) -> bool:
    """True for 1/true/yes/on. Anything that is neither yes nor no is refused rather than guessed."""
    text = os.environ.get(name, "").strip().lower()
    if text in {"1", "true", "yes", "on"}:
        return True
    if text in {"", "0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name}={text!r} is neither yes nor no: set it to 1 or 0.")


def host_list(name: str, *, default: list[str]) -> list[str]:
    return [part.strip() for part in os.environ.get(name, "").split(",") if part.strip()] or default


def web_addresses(name: str) -> list[str]:
    """Comma-separated http and https URLs. What is none, or carries a password, is refused."""
    found = host_list(name, default=[])
    for url in found:
        if not _is_web_address(url):
            raise ImproperlyConfigured(f"{name}: {url!r} is no http:// or https:// address of at most 500 letters.")
        if urlsplit(url).username is not None:
            raise ImproperlyConfigured(f"{name}: the address on {urlsplit(url).hostname} carries a password.")
    return found


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        possible = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port beyond 65535
        return False
    return possible and url.isascii() and url.isprintable() and " " not in url and len(url) <= 500


def networks(name: str) -> list[IPv4Network | IPv6Network]:
    """Comma-separated addresses and networks: ``127.0.0.1,10.20.0.0/16``."""
    try:
        return [ip_network(part) for part in host_list(name, default=[])]
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: {error}; expected such as 127.0.0.1,10.20.0.0/16.") from error


def database_settings(url: str) -> dict[str, Any]:
    """Django's DATABASES entry for ``postgresql://user:password@host:port/name?option=value``."""
    parts = urlsplit(url)
    if parts.scheme not in {"postgresql", "postgres"}:
        raise ImproperlyConfigured(f"DATABASE_URL must begin with postgresql://, not {parts.scheme or 'nothing'}://")
    options = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/") or "dayops",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", None) or parts.hostname or "",
        "PORT": options.pop("port", None) or parts.port or "",
        "OPTIONS": options,
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
    }


def secret_key(state: Path, *, embedded: bool) -> str:
    """DAYOPS_SECRET_KEY. A site must give it; an embedded start makes one and keeps it, readable by its owner only."""
    given = os.environ.get("DAYOPS_SECRET_KEY", "")
    if given:
        if len(given) < _TOO_SHORT or len(set(given)) < 10 or "insecure" in given:
            raise ImproperlyConfigured(
                "DAYOPS_SECRET_KEY is too short or a default. Make one with: "
                'python3 -c "import secrets; print(secrets.token_urlsafe(50))"'
            )
        return given
    if not embedded:
        raise ImproperlyConfigured(
            "DATABASE_URL is set, so this is a site's start, and it needs DAYOPS_SECRET_KEY. Make one with: "
            'python3 -c "import secrets; print(secrets.token_urlsafe(50))"'
        )
    return kept_secret(state / "secret_key")


def plotly_folder() -> Path:
    """Folder of the plotly.min.js that the plotly wheel carries, so that Python and JavaScript never drift apart."""
    spec = find_spec("plotly")
    if spec is None or spec.origin is None:
        raise ImproperlyConfigured("The package plotly is missing: pip install -r requirements.txt")
    return Path(spec.origin).parent / "package_data"

"""A real browser for tests: headless Chromium, driven by Playwright. Where there is none, tests skip, loudly."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, Page, sync_playwright

from tests.install_browser import chromium

NO_CHROMIUM = "NO BROWSER TESTS WERE RUN: there is no Chromium on PATH. Install it: apt-get install chromium"
WIDTHS = ((1280, 800), (1920, 1080))


@contextmanager
def open_browser() -> Iterator[Browser]:
    """A headless Chromium, as root without its sandbox, which cannot work there. Skips where there is none."""
    path = chromium()
    if path is None:
        pytest.skip(NO_CHROMIUM)
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with warnings.catch_warnings(), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def open_page(browser: Browser, server: str, user: User | None = None, **options: Any) -> Iterator[Page]:
    """A page at `server`, signed in as `user`. Fails at the end on any script error or refused resource."""
    context = browser.new_context(base_url=server, **options)
    if user is not None:
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session_of(user), "url": server}])
    page = context.new_page()
    page.set_default_timeout(15_000)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if _is_refusal(message.text) else None)
    try:
        yield page
    finally:
        context.close()
    assert complaints == []


def session_of(user: User) -> str:
    """A session key of `user`, as after signing in."""
    client = Client()
    client.force_login(user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def _is_refusal(text: str) -> bool:
    return "Content Security Policy" in text

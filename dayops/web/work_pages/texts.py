"""Texts that look different on a page than in an export, where they stay plain."""

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString


class Linked(str):
    """Text that leads to `url` on a page; without a URL just text."""

    url: str

    def __new__(cls, text: str, url: str) -> "Linked":
        linked = super().__new__(cls, text)
        linked.url = url
        return linked

    def __html__(self) -> SafeString | str:
        return format_html('<a href="{}">{}</a>', self.url, str(self)) if self.url else escape(str(self))


class Unbroken(str):
    """A name that no line ends in: ``alert-production-summit1-410`` stays whole, as numbers do."""

    def __html__(self) -> SafeString:
        return format_html('<span class="number">{}</span>', str(self))

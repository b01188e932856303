"""Texts that look different on a page than in an export, where they stay plain."""

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString


class Linked(str):
    """Text that leads to `url` on a page; without a URL just text. `words` are what a page says in its place."""

    url: str
    words: str

    def __new__(cls, text: str, url: str, words: str = "") -> "Linked":
        linked = super().__new__(cls, text)
        linked.url, linked.words = url, words or text
        return linked

    def __html__(self) -> SafeString | str:
        return format_html('<a href="{}">{}</a>', self.url, self.words) if self.url else escape(self.words)


class Unbroken(str):
    """A name that no line ends in: ``alert-production-summit1-410`` stays whole, as numbers do."""

    def __html__(self) -> SafeString:
        return format_html('<span class="number">{}</span>', str(self))

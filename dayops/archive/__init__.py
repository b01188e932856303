"""The Archiver: raw frames are fetched, verified, inspected and kept for ever, exactly as they were sent."""

from dayops.archive.content_store import Store, store
from dayops.archive.hooks import on_archived

__all__ = ["Store", "on_archived", "store"]

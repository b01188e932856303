"""Have a Chromium for the browser tests: found on PATH, or installed from Debian's packages when root.

``python -m tests.install_browser``. Never fails: without a browser the browser tests skip, loudly.
"""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium() -> str | None:
    """Path of the Chromium on PATH, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def install() -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "chromium"]):
        subprocess.run(words, env=environment, stdout=subprocess.DEVNULL, check=False)


def main() -> int:
    if chromium() is None and os.geteuid() == 0 and shutil.which("apt-get"):
        print("installing Chromium for the browser tests", flush=True)
        install()
    if chromium() is None:
        print("=" * 78)
        print("NO BROWSER TESTS WILL RUN: there is no Chromium on PATH.")
        print("Install it: sudo apt-get install chromium")
        print("=" * 78, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

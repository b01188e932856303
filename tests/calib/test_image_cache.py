"""Images kept in memory."""

import threading

import numpy as np

from dayops.web.image_cache import ImageCache
from dayops.web.image_tiles import Pyramid


def test_an_image_is_loaded_once_while_it_is_kept():
    cache, loads = ImageCache(10**6), []

    def load() -> np.ndarray:
        loads.append(1)
        return np.zeros((10, 10), dtype=np.float32)

    assert cache.get("a", load) is cache.get("a", load)
    assert len(loads) == 1


def test_the_image_not_used_for_longest_makes_room():
    image = np.zeros((100, 100), dtype=np.float32)
    cache = ImageCache(2 * Pyramid(image).nbytes)
    first = cache.get("a", lambda: image)
    cache.get("b", lambda: image)
    cache.get("a", lambda: image)
    cache.get("c", lambda: image)
    assert cache.nbytes <= cache.limit_bytes
    assert cache.get("a", lambda: np.ones((1, 1), dtype=np.float32)) is first
    assert cache.get("b", lambda: np.ones((1, 1), dtype=np.float32)).width == 1


def test_many_threads_load_an_image_once():
    cache, loads, begin = ImageCache(10**6), [], threading.Barrier(8)

    def load() -> np.ndarray:
        loads.append(1)
        return np.zeros((10, 10), dtype=np.float32)

    def look() -> None:
        begin.wait()
        cache.get("a", load)

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loads) == 1

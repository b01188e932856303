"""The large images looked at last, kept in the memory of this process."""

import threading
from collections import OrderedDict
from collections.abc import Callable

from dayops.web.image_tiles import Pixels, Pyramid


class ImageCache:
    """The images looked at last, in this process, within a bound of memory. Safe to use from many threads.

    One image is loaded at a time: two readers of the same image load it once, and the peak of memory stays bounded.
    """

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self._images: OrderedDict[object, Pyramid] = OrderedDict()
        self._lock, self._loading = threading.Lock(), threading.Lock()

    def get(self, key: object, load: Callable[[], Pixels]) -> Pyramid:
        """The image called `key`, loaded by `load` where it is not here."""
        if (image := self._known(key)) is not None:
            return image
        with self._loading:
            if (image := self._known(key)) is not None:
                return image
            image = Pyramid(load())
            self._keep(key, image)
            return image

    @property
    def nbytes(self) -> int:
        return sum(image.nbytes for image in self._images.values())

    def _known(self, key: object) -> Pyramid | None:
        with self._lock:
            if key in self._images:
                self._images.move_to_end(key)
            return self._images.get(key)

    def _keep(self, key: object, image: Pyramid) -> None:
        with self._lock:
            self._images[key] = image
            while len(self._images) > 1 and self.nbytes > self.limit_bytes:
                self._images.popitem(last=False)

"""Arrays that one step leaves to the next, in the archive: first the file, then, with the task's end, its row."""

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from dayops.archive import store
from dayops.archive.content_store import Stored
from mops.models import KeptArrays, Night, SyntheticTruth

Arrays = Mapping[str, npt.NDArray[Any]]


def put(arrays: Arrays) -> Stored:
    """The arrays' file. The same arrays give the same bytes. Raises ArchiveFull or ArchiveAway."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **dict(sorted(arrays.items())))
    buffer.seek(0)
    return store().put(buffer)


def get(sha256: str) -> dict[str, npt.NDArray[Any]]:
    """The arrays of a file. Raises NotInArchive or Damaged."""
    with store().open(sha256) as file, np.load(file, allow_pickle=False) as found:
        return {name: found[name] for name in found.files}


def keep(
    night: Night, kind: KeptArrays.Kind, stored: Stored, *, rows: int, day_obs: int, key: str = "", made_with: str = ""
) -> KeptArrays:
    """The row of a file, inside the transaction that ends its task. A second time replaces the first."""
    return KeptArrays.objects.update_or_create(
        night=night,
        kind=kind,
        key=key,
        day_obs=day_obs,
        defaults={"rows": rows, "sha256": stored.sha256, "size": stored.size, "made_with": made_with},
    )[0]


def referenced() -> set[str]:
    """Files that nights refer to: the archive must not collect them."""
    columns = [(KeptArrays, "sha256"), (SyntheticTruth, "sha256"), (SyntheticTruth, "population_sha256")]
    return {value for model, name in columns for value in model.objects.values_list(name, flat=True).iterator()}

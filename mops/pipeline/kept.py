"""Arrays that one step leaves to the next, in the archive: first the file, then, with the task's end, its row."""

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from dayops.archive import store
from dayops.archive.content_store import Stored
from mops.models import KeptArrays, Night, Submission, SyntheticTruth

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
    kept = KeptArrays.objects.values_list("sha256")
    truth = SyntheticTruth.objects.all()
    return {
        sha256
        for rows in (
            kept,
            truth.values_list("sha256"),
            truth.values_list("population_sha256"),
            Submission.objects.values_list("psv_sha256"),
            Submission.objects.values_list("xml_sha256"),
        )
        for (sha256,) in rows.iterator(chunk_size=10_000)
    }

"""Tables in files, a batch at a time: Parquet, CSV and FITS."""

from collections.abc import Callable, Iterator
from pathlib import Path

import fitsio
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from django.db import models

from dayops.level1.checking import BadTable, kept_columns
from dayops.level1.columns import Array, Columns, field_of

ROWS = 250_000
_NOTHING = ["", "NULL", "null", "NaN", "nan", "None", "\\N"]
_WORDS = {"degree": "deg", "degrees": "deg", "days": "d", "day": "d", "pixels": "pixel", "pix": "pixel"}


def batches(path: Path, model: type[models.Model]) -> Iterator[Columns]:
    """The columns of a file that `model` keeps, some 250,000 rows at a time.

    Raises
    ------
    BadTable
        For a file that is none of these, is broken, lacks a column, or says that its times are not TAI or its units
        not APDB's.
    """
    suffix = path.name.lower().removesuffix(".gz").rpartition(".")[2]
    if suffix not in _READERS:
        raise BadTable(f"{path.name} is no table that can be loaded: expected .parquet, .csv or .fits.")
    if not path.is_file():
        raise BadTable(f"{path} is not there, or no file.")
    try:
        for batch in _READERS[suffix](path, model):
            if len(next(iter(batch.values()))):
                yield batch
    except (pa.ArrowException, OSError, EOFError, UnicodeDecodeError) as error:
        raise BadTable(f"{path.name} cannot be read as .{suffix}: {str(error).splitlines()[0]}") from error


def _parquet(path: Path, model: type[models.Model]) -> Iterator[Columns]:
    with pyarrow.parquet.ParquetFile(path) as file:
        columns = kept_columns(model, file.schema_arrow.names)
        for batch in file.iter_batches(batch_size=ROWS, columns=columns, use_threads=False):
            yield _arrays(batch, columns)


def _csv(path: Path, model: type[models.Model]) -> Iterator[Columns]:
    """Everything is read as text, so that one word that is no number refuses its row and not its file."""
    with path.open("rb") as head:
        names = pyarrow.csv.open_csv(head).schema.names if not path.name.endswith(".gz") else _names_in(path)
    columns = kept_columns(model, names)
    convert = pyarrow.csv.ConvertOptions(
        column_types=dict.fromkeys(columns, pa.string()),
        include_columns=columns,
        null_values=_NOTHING,
        strings_can_be_null=True,
    )
    with pyarrow.csv.open_csv(path, pyarrow.csv.ReadOptions(block_size=16 << 20), convert_options=convert) as reader:
        for batch in reader:
            yield _arrays(batch, columns)


def _names_in(path: Path) -> list[str]:
    with pyarrow.csv.open_csv(path) as reader:
        return list(reader.schema.names)


def _arrays(batch: pa.RecordBatch, columns: list[str]) -> Columns:
    return {name: _array(batch.column(name), name) for name in columns}


def _array(column: pa.Array, name: str) -> Array:
    void = column.is_null().to_numpy(zero_copy_only=False) if column.null_count else None
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        encoded = column.fill_null("").dictionary_encode()
        words = np.array([str(word) for word in encoded.dictionary.to_pylist()] or [""], dtype=str)
        return np.asarray(words[encoded.indices.to_numpy(zero_copy_only=False)])
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_boolean(column.type)):
        raise BadTable(f"Column {name} holds {column.type}; expected numbers (times as MJD TAI, float64).")
    if void is None:
        return np.asarray(column.to_numpy(zero_copy_only=False))
    filled = column.fill_null(pa.scalar(0, column.type) if not pa.types.is_boolean(column.type) else False)
    return np.ma.masked_array(filled.to_numpy(zero_copy_only=False), void)


def _fits(path: Path, model: type[models.Model]) -> Iterator[Columns]:
    with fitsio.FITS(str(path)) as file:
        table = next((hdu for hdu in file if hdu.get_exttype() in {"BINARY_TBL", "ASCII_TBL"}), None)
        if table is None:
            raise BadTable(f"{path.name} has no table among its HDUs.")
        header = table.read_header()
        scale = str(header.get("TIMESYS", "TAI")).strip().upper()
        if scale != "TAI":
            raise BadTable(f"{path.name} says TIMESYS = {scale}; the Level 1 database takes TAI: convert the times.")
        columns = kept_columns(model, table.get_colnames())
        for number, name in enumerate(table.get_colnames(), 1):
            if name in columns:
                _expect_unit(model, name, str(header.get(f"TUNIT{number}", "")).strip())
        for first in range(0, table.get_nrows(), ROWS):
            rows = table[columns][first : first + ROWS]
            yield {name: rows[name].astype(rows[name].dtype.newbyteorder("=")) for name in columns}


def _expect_unit(model: type[models.Model], name: str, unit: str) -> None:
    expected = getattr(field_of(model, name), "unit", "")
    if unit and expected and _WORDS.get(unit.lower(), unit).lower() != expected.lower():
        raise BadTable(f"Column {name} is in {unit}; expected {expected}: convert it.")


_READERS: dict[str, Callable[[Path, type[models.Model]], Iterator[Columns]]] = {
    "parquet": _parquet,
    "csv": _csv,
    "fits": _fits,
    "fit": _fits,
}

"""The same rows from Parquet, CSV and FITS; and files that are none of them."""

import gzip
from pathlib import Path

import fitsio
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from dayops.level1.checking import BadTable, checked
from dayops.level1.columns import Columns
from dayops.level1.files import ROWS, batches
from dayops.level1.models import DiaSource
from tests.dayops.level1.tables import sources

Words = dict[str, str]


def parquet(path: Path, columns: Columns) -> Path:
    arrays = {
        name: pa.array(np.ma.getdata(values), mask=np.ma.getmaskarray(values)) for name, values in columns.items()
    }
    pyarrow.parquet.write_table(pa.table(arrays), path)
    return path


def csv(path: Path, columns: Columns) -> Path:
    pyarrow.csv.write_csv(pa.table({name: pa.array(values) for name, values in columns.items()}), path)
    return path


def fits(
    path: Path, columns: Columns, header: dict[str, str] | None = None, units: dict[str, str] | None = None
) -> Path:
    words = {name: values.astype("S") if values.dtype.kind == "U" else values for name, values in columns.items()}
    fitsio.write(
        str(path),
        [np.asarray(values) for values in words.values()],
        names=list(words),
        header=header,
        units=[(units or {}).get(name, "") for name in words],
    )
    return path


def rows_of(path: Path) -> Columns:
    parts = [checked(DiaSource, batch, 0).columns for batch in batches(path, DiaSource)]
    return {name: np.ma.concatenate([part[name] for part in parts]) for name in parts[0]}


@pytest.mark.parametrize(("write", "suffix"), [(parquet, "parquet"), (csv, "csv"), (fits, "fits")])
def test_a_file_gives_the_rows_that_were_written(tmp_path, write, suffix):
    table = sources(50)
    read = rows_of(write(tmp_path / f"night.{suffix}", table))
    for name, values in table.items():
        assert not np.ma.getmaskarray(read[name]).any()
        np.testing.assert_array_equal(np.ma.getdata(read[name]).astype(values.dtype), values)


def test_a_large_file_comes_in_batches(tmp_path):
    path = parquet(tmp_path / "night.parquet", sources(ROWS + 10))
    assert [len(batch["ra"]) for batch in batches(path, DiaSource)] == [ROWS, 10]


def test_missing_values_of_parquet_are_masked_and_ids_keep_every_digit(tmp_path):
    ids = np.ma.masked_array([2**62 + 1, 5, 2**62 + 3], [False, True, False])
    flags = np.ma.masked_array([True, True, False], [False, True, False])
    path = parquet(tmp_path / "night.parquet", sources(3) | {"diaObjectId": ids, "isDipole": flags})
    read = next(batches(path, DiaSource))
    assert read["diaObjectId"].tolist() == [2**62 + 1, None, 2**62 + 3]
    assert read["isDipole"].tolist() == [True, None, False]


def test_a_dictionary_of_bands_is_read_as_bands(tmp_path):
    table = pa.table({name: pa.array(values) for name, values in sources(6).items()})
    index = table.schema.get_field_index("band")
    table = table.set_column(index, "band", table.column("band").dictionary_encode())
    pyarrow.parquet.write_table(table, tmp_path / "night.parquet")
    assert next(batches(tmp_path / "night.parquet", DiaSource))["band"].tolist() == list("ugrizy")


def test_empty_cells_of_csv_are_nothing_and_words_refuse_their_row_only(tmp_path):
    path = csv(tmp_path / "night.csv", sources(3, psfFlux=["1.5", "", "bright"], diaObjectId=["7", "NULL", "9"]))
    found = checked(DiaSource, next(batches(path, DiaSource)), 0)
    assert found.columns["psfFlux"].tolist() == [1.5, None]
    assert found.columns["diaObjectId"].tolist() == [7, None]
    assert [one.reason for one in found.refused] == ["psfFlux = bright is not a number"]


def test_a_compressed_csv_is_read(tmp_path):
    plain = csv(tmp_path / "night.csv", sources(5))
    (tmp_path / "night.csv.gz").write_bytes(gzip.compress(plain.read_bytes()))
    assert len(rows_of(tmp_path / "night.csv.gz")["ra"]) == 5


def test_units_that_are_apdbs_pass_and_others_refuse_the_file(tmp_path):
    good = fits(tmp_path / "good.fits", sources(3), units={"ra": "degree", "psfFlux": "nJy", "midpointMjdTai": "d"})
    assert len(rows_of(good)["ra"]) == 3
    bad = fits(tmp_path / "bad.fits", sources(3), units={"ra": "rad"})
    with pytest.raises(BadTable, match="Column ra is in rad; expected deg"):
        list(batches(bad, DiaSource))


def test_a_fits_table_in_utc_is_refused(tmp_path):
    path = fits(tmp_path / "night.fits", sources(3), header={"TIMESYS": "UTC"})
    with pytest.raises(BadTable, match="TIMESYS = UTC; the Level 1 database takes TAI"):
        list(batches(path, DiaSource))


def test_a_fits_file_without_a_table_is_refused(tmp_path):
    fitsio.write(str(tmp_path / "image.fits"), np.zeros((3, 3)))
    with pytest.raises(BadTable, match=r"image\.fits has no table"):
        list(batches(tmp_path / "image.fits", DiaSource))


@pytest.mark.parametrize("suffix", ["parquet", "csv", "fits"])
@pytest.mark.parametrize("content", [b"", b"\x00\xff garbage" * 50])
def test_a_broken_file_is_refused_in_a_sentence(tmp_path, suffix, content):
    path = tmp_path / f"broken.{suffix}"
    path.write_bytes(content)
    with pytest.raises(BadTable):
        list(batches(path, DiaSource))


@pytest.mark.parametrize("suffix", ["parquet", "csv", "fits"])
def test_a_file_that_was_cut_short_is_refused(tmp_path, suffix):
    whole = {"parquet": parquet, "csv": csv, "fits": fits}[suffix](tmp_path / f"whole.{suffix}", sources(2_000))
    cut = tmp_path / f"cut.{suffix}"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(BadTable, match=rf"cannot be read as \.{suffix}"):
        list(batches(cut, DiaSource))


def test_a_table_of_no_rows_gives_no_batches(tmp_path):
    assert list(batches(parquet(tmp_path / "empty.parquet", sources(0)), DiaSource)) == []


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("night.txt", "expected .parquet, .csv or .fits"), ("nowhere.csv", "is not there, or no file")],
)
def test_what_is_no_table_is_said_to_be_none(tmp_path, name, sentence):
    with pytest.raises(BadTable, match=sentence):
        list(batches(tmp_path / name, DiaSource))


def test_times_as_dates_are_refused(tmp_path):
    path = parquet(tmp_path / "night.parquet", sources(3) | {"midpointMjdTai": np.array(["2026-11-20"] * 3, "M8[us]")})
    with pytest.raises(BadTable, match=r"Column midpointMjdTai holds timestamp\[us\]; expected numbers"):
        list(batches(path, DiaSource))

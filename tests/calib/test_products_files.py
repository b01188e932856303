"""The files of products: master images as FITS, tables as ECSV, and what both say of where they come from."""

import io
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from calib.models import Product, ProductSet
from calib.products import image_file, tables
from calib.products.image_file import STEPS_PER_SIGMA, MasterImage
from calib.products.made import storable
from calib.products.provenance import header_cards, provenance, table_meta
from calib.science.defects import DefectBox, DefectLimits, find_defects
from calib.science.mask_planes import UNUSABLE, Plane, flagged
from dayops.models import Exposure, RawFrame
from tests.calib.masters import MINICAM, SENSOR, SMALL

PLANES = ["IMAGE", "VARIANCE", "MASK", "NEXP"]
CARDS = [("OBSTYPE", "bias", "kind of master calibration"), ("DAYOBS", "20261122", "date")]
DETECTOR = SMALL.by_id[SENSOR]


def master(shape=(60, 80), sigma=2.5, level=40.0) -> MasterImage:
    """Noise on a slope, with some pixels that no frame has, and some bits."""
    rng = np.random.default_rng(1)
    image = (level + np.arange(shape[1]) / 10 + rng.normal(0, sigma, shape)).astype(np.float32)
    frames = rng.integers(1, 4, shape).astype(np.int16)
    frames[3, 5:9] = 0
    variance = (sigma**2 * rng.uniform(0.5, 2, shape)).astype(np.float32)
    image[frames == 0] = variance[frames == 0] = np.nan
    mask = np.where(frames == 0, np.int32(Plane.NO_DATA), np.int32(0))
    mask[10, 10] = Plane.HOT | Plane.BAD | 1 << 30
    return MasterImage(image, variance, mask, frames)


def kept(folder: Path, content: bytes) -> Path:
    path = folder / "product"
    path.write_bytes(content)
    return path


def read_again(folder: Path, of: MasterImage) -> MasterImage:
    return image_file.read(kept(folder, image_file.to_bytes(of, CARDS, "adu")))


class TestAMasterImage:
    def test_comes_back_to_a_thirty_second_of_its_noise(self, tmp_path):
        one = master()
        again = read_again(tmp_path, one)
        good = np.isfinite(one.image)
        assert np.abs(again.image - one.image)[good].max() <= 2.5 * 1.2 / (2 * STEPS_PER_SIGMA)
        assert np.abs(again.variance / one.variance - 1)[good].max() < 0.1
        assert again.image.dtype == again.variance.dtype == np.float32

    @settings(deadline=None, max_examples=30)
    @given(
        sigma=st.floats(1e-6, 1e4),
        values=arrays(np.float32, (8, 16), elements=st.floats(-1e6, 1e6, width=32)),
    )
    def test_comes_back_so_for_any_pixels_that_31_bits_can_tell(self, tmp_path_factory, sigma, values):
        frames = np.ones(values.shape, np.int16)
        one = MasterImage(values, np.full(values.shape, sigma**2, np.float32), frames.astype(np.int32), frames)
        again = read_again(tmp_path_factory.mktemp("product"), one)
        finest = max(sigma / STEPS_PER_SIGMA, float(np.abs(values).max()) / 2**29)
        assert np.abs(again.image.astype(np.float64) - values).max() <= finest

    def test_keeps_bits_and_numbers_of_frames_exactly(self, tmp_path):
        one = master()
        again = read_again(tmp_path, one)
        assert np.array_equal(again.mask, one.mask)
        assert np.array_equal(again.frames, one.frames)
        assert [plane.dtype.name for plane in (again.mask, again.frames)] == ["int32", "int16"]

    def test_has_no_value_where_no_frame_has_one(self, tmp_path):
        one = master()
        again = read_again(tmp_path, one)
        assert np.array_equal(np.isnan(again.image), one.frames == 0)
        assert np.array_equal(np.isnan(again.variance), one.frames == 0)

    def test_has_none_either_where_frames_have_values_that_are_no_numbers(self, tmp_path):
        one = master()
        one.image[:, 40:] = np.nan  # the amplifier's gain is not known
        one.variance[20] = np.inf
        again = read_again(tmp_path, one)
        assert np.array_equal(np.isnan(again.image), ~np.isfinite(one.image))
        assert np.array_equal(np.isnan(again.variance), ~np.isfinite(one.variance))

    def test_may_have_no_value_at_all(self, tmp_path):
        one = master()
        one.image[:] = one.variance[:] = np.nan
        assert np.isnan(read_again(tmp_path, one).image).all()

    def test_is_the_same_bytes_each_time(self):
        first = image_file.to_bytes(master(), CARDS, "adu")
        time.sleep(1.1)  # FITS dates have seconds
        assert image_file.to_bytes(master(), CARDS, "adu") == first

    def test_is_read_by_astropy_with_nan_where_it_is_blank(self):
        one = master()
        with fits.open(io.BytesIO(image_file.to_bytes(one, CARDS, "adu"))) as file:
            assert [hdu.name for hdu in file[1:]] == PLANES
            assert np.array_equal(np.isnan(file["IMAGE"].data), np.isnan(one.image))
            assert np.nanmax(np.abs(file["IMAGE"].data - one.image)) < 0.1
            assert np.array_equal(file["MASK"].data, one.mask)
            assert np.array_equal(file["NEXP"].data, one.frames)

    def test_says_its_units_bits_and_kind_where_viewers_look_for_them(self):
        with fits.open(io.BytesIO(image_file.to_bytes(master(), CARDS, "adu/s"))) as file:
            assert (file[0].header["OBSTYPE"], file[0].header["DAYOBS"]) == ("bias", "20261122")
            assert [file[name].header.get("BUNIT") for name in PLANES] == ["adu/s", "(adu/s)**2", None, "frames"]
            assert file["MASK"].header["MP_NO_DATA"] == 8
            assert (file["MASK"].header["BITPIX"], file["NEXP"].header["BITPIX"]) == (32, 16)

    def test_carries_checksums_that_hold_and_break_with_one_bit(self):
        content = bytearray(image_file.to_bytes(master(), CARDS, "adu"))
        with fits.open(io.BytesIO(content), disable_image_compression=True) as file:
            assert [(hdu.verify_checksum(), hdu.verify_datasum()) for hdu in file] == [(1, 1)] * 5
            assert [hdu.header["ZCMPTYPE"] for hdu in file[1:]] == ["RICE_1"] * 4
            at = file.info(output=False) and file.fileinfo(1)["datLoc"]
        content[at + 100] ^= 1
        with fits.open(io.BytesIO(content), disable_image_compression=True) as file:
            assert file[1].verify_datasum() == 0

    def test_that_is_none_is_refused_in_a_sentence(self, tmp_path):
        with pytest.raises(ValueError, match=r"^product is no master image: "):
            image_file.read(kept(tmp_path, b"no FITS file at all"))

    def test_cut_short_is_refused_in_a_sentence(self, tmp_path):
        content = image_file.to_bytes(master(), CARDS, "adu")
        with pytest.raises(ValueError, match=r"^product is no master image: "):
            image_file.read(kept(tmp_path, content[: len(content) // 2]))

    def test_that_lacks_a_plane_or_has_an_odd_one_is_refused_in_a_sentence(self, tmp_path):
        planes = [fits.ImageHDU(np.zeros((4, 5)), name=name) for name in PLANES]
        planes[2] = fits.ImageHDU(np.zeros((4, 6)), name="MASK")
        path = tmp_path / "odd.fits"
        fits.HDUList([fits.PrimaryHDU(), *planes]).writeto(path)
        with pytest.raises(ValueError, match=r"^The planes of odd.fits differ in shape: it is no master image\."):
            image_file.read(path)
        fits.HDUList([fits.PrimaryHDU(), *planes[:2]]).writeto(path, overwrite=True)
        with pytest.raises(ValueError, match=r"^odd.fits is no master image: "):
            image_file.read(path)


class TestTablesOfDefects:
    def through_a_file(self, folder: Path, boxes: list[DefectBox]) -> Table:
        return tables.read(kept(folder, tables.to_bytes(tables.defects_table(boxes), {"OBSTYPE": "defects"})))

    def test_stand_for_the_mask_they_were_made_of(self, tmp_path):
        rng = np.random.default_rng(2)
        shape = DETECTOR.height, DETECTOR.width
        dark = rng.gamma(1.0, 0.01, shape).astype(np.float32)
        flat = rng.normal(1, 0.01, shape).astype(np.float32)
        dark[rng.integers(0, shape[0], 60), rng.integers(0, 70, 60)] = 40
        flat[rng.integers(0, shape[0], 60), rng.integers(80, shape[1], 60)] = 0.3
        dark[100:400:2, 30], flat[:, 200], flat[5:40:3, 77] = 30, 0.5, 0.2
        dark[50, 60:64] = flat[51, 60:64] = np.nan
        found = find_defects(DETECTOR, dark, flat, dark * 0 + 0.01, DefectLimits(edge_rows=2, edge_columns=3))
        assert {box.kind for box in found.boxes} == {"HOT", "COLD", "BRIGHT_COLUMN", "DARK_COLUMN", "NO_DATA", "EDGE"}
        again = tables.mask_of(self.through_a_file(tmp_path, found.boxes), DETECTOR)
        column, either = flagged(found.mask, Plane.COLUMN), np.int32(Plane.HOT | Plane.COLD)
        assert np.array_equal(again[~column], found.mask[~column])
        assert np.array_equal(again & ~either, found.mask & ~either), "a column's pixels share what most of them are"

    def test_leave_no_bad_pixel_out_that_is_bad_for_two_reasons(self):
        dark, flat = (np.full((DETECTOR.height, DETECTOR.width), value, np.float32) for value in (0.01, 1.0))
        dark[300, 90], flat[300, 90:92] = 50, 0.1
        dark[300, 91] = np.nan
        found = find_defects(DETECTOR, dark, flat, dark * 0 + 0.01)
        again = tables.mask_of(tables.defects_table(found.boxes), DETECTOR)
        assert np.array_equal(flagged(again, UNUSABLE), flagged(found.mask, UNUSABLE))
        assert flagged(again, UNUSABLE).sum() == 2

    def test_may_be_empty(self, tmp_path):
        found = self.through_a_file(tmp_path, [])
        assert len(found) == 0
        assert not tables.mask_of(found, DETECTOR).any()

    def test_say_their_units(self, tmp_path):
        found = self.through_a_file(tmp_path, [DefectBox(1, 2, 3, 4, "HOT", 9.5)])
        assert str(found["x0"].unit) == "pix"
        assert list(found[0]) == [1, 2, 3, 4, "HOT", 9.5]
        assert found.meta["OBSTYPE"] == "defects"


class TestTablesOfNumbers:
    def test_of_levels_have_a_row_for_each_amplifier_and_level(self, tmp_path):
        columns = {"signal": np.array([[1.5, np.nan, 3], [4, 5, 6]])}
        table = tables.curve_table(DETECTOR, columns, {"signal": "adu"})
        found = tables.read(kept(tmp_path, tables.to_bytes(table, {})))
        assert list(found["amplifier"]) == ["C10"] * 3 + ["C11"] * 3
        assert np.array_equal(found["signal"], [1.5, np.nan, 3, 4, 5, 6], equal_nan=True)
        assert str(found["signal"].unit) == "adu"

    def test_of_crosstalk_leave_out_what_an_amplifier_does_to_itself(self, tmp_path):
        matrix = np.array([[0, 1e-4], [2.5e-4, 0]])
        table = tables.crosstalk_table(DETECTOR, matrix, matrix / 10, np.array([[9, 70], [80, 9]]))
        found = tables.read(kept(tmp_path, tables.to_bytes(table, {})))
        rows = [tuple(row) for row in found]
        assert rows == [("C10", "C11", 1e-4, 1e-5, 70), ("C11", "C10", 2.5e-4, 2.5e-5, 80)]

    def test_lose_no_digit_on_their_way_through_a_file(self, tmp_path):
        values = np.random.default_rng(3).normal(0, 1e-7, 2)
        table = tables.amplifier_table(DETECTOR, {"c2": values}, {"c2": "1/adu"})
        assert np.array_equal(tables.read(kept(tmp_path, tables.to_bytes(table, {})))["c2"], values)

    def test_that_are_none_are_refused_in_a_sentence(self, tmp_path):
        with pytest.raises(ValueError, match=r"^product is no ECSV table: "):
            tables.read(kept(tmp_path, b"\x00\x01 nothing"))


def frame(number: int, name: str = "") -> RawFrame:
    """Rows that were never saved, of two nights around midnight UTC."""
    began = datetime(2026, 11, 22, 23, 59, 50, tzinfo=UTC) + timedelta(seconds=30 * number)
    exposure = Exposure(
        name=name or f"MC_S_20261122_{number:06d}", day_obs=20261122, began_at=began, exposure_s=15.0, filter="r"
    )
    header = {"INSTRUME": "LSST-MiniCam", "CCDTEMP": -100.1, "SEQFILE": "daily.seq", "NAXIS": 0}
    return RawFrame(pk=number, exposure=exposure, sha256=f"{number:064x}", header=header)


def origin(frames: int = 2, name: str = "") -> dict[str, Any]:
    made_set = ProductSet(camera="minicam", day_obs=20261122, configuration="daily", parameters={"clip_sigma": 4.0})
    inputs = [frame(number, name) for number in range(frames)]
    bias = Product(pk=7, type="bias", day_obs=20261122, sha256="ab" * 32)
    scales = [1 / (number + 1) for number in range(frames)]
    return provenance(made_set, "flat", "R22_S11", "r", inputs, [frame(9)], scales, [bias])


class TestProvenance:
    def test_has_the_seven_things_that_dms_req_0132_asks_for(self):
        found = origin()
        assert [one["exposure"] for one in found["inputs"]] == ["MC_S_20261122_000000", "MC_S_20261122_000001"]
        assert found["inputs"][1]["sha256"] == f"{1:064x}"
        assert found["dates"] == {"first": "2026-11-23T00:00:27.000", "last": "2026-11-23T00:00:57.000", "scale": "TAI"}
        assert found["parameters"] == {"clip_sigma": 4.0}
        assert found["calibrations"] == [{"product": 7, "type": "bias", "dayObs": 20261122, "sha256": "ab" * 32}]
        assert {"dayops", "python", "machine", "numpy", "scipy", "numba", "astropy"} <= set(found["software"])
        assert (found["type"], found["detector"], found["filter"]) == ("flat", "R22_S11", "r")
        assert found["instrument"] == {
            "camera": "minicam", "INSTRUME": "LSST-MiniCam", "SEQFILE": "daily.seq", "CCDTEMP": -100.1
        }  # fmt: skip

    def test_says_which_frames_were_held_out(self):
        assert [one["frame"] for one in origin()["held out"]] == [9]

    def test_is_json_as_it_stands(self):
        assert storable(origin()) == storable(storable(origin()))

    def test_reads_no_clock(self, monkeypatch):
        before = origin()
        monkeypatch.setattr("time.time", lambda: 0.0)
        assert origin() == before
        assert "created" not in str(before).lower()

    def test_may_have_no_frame(self):
        found = origin(0)
        assert found["inputs"] == []
        assert found["dates"] == {"first": "", "last": "", "scale": "TAI"}


class TestHeadersOfProducts:
    def test_name_every_input_however_many_there_are(self):
        content = image_file.to_bytes(master(), header_cards(origin(120), 20261122), "")
        header = fits.getheader(io.BytesIO(content))
        assert header["CPP_N"] == 120
        assert [header[f"CPP_INPUT_{number}"] for number in range(120)] == [
            f"MC_S_20261122_{number:06d}" for number in range(120)
        ]
        assert header["CPP_INPUT_DATE_119"] == "2026-11-23T00:59:57.000"
        assert header["CPP_INPUT_EXPT_119"] == 15
        assert header["CPP_INPUT_SCALE_119"] == pytest.approx(1 / 120, rel=1e-9)
        assert (header["FILTER"], header["TIMESYS"]) == ("r", "TAI")

    def test_keep_the_longest_name_that_an_exposure_may_have(self):
        name = "e" * 100
        content = image_file.to_bytes(master(), header_cards(origin(2, name), 20261122), "")
        with fits.open(io.BytesIO(content)) as file:
            assert file[0].header["CPP_INPUT_1"] == name

    def test_of_tables_are_the_same(self, tmp_path):
        table = tables.amplifier_table(DETECTOR, {"c2": np.zeros(2)}, {})
        found = tables.read(kept(tmp_path, tables.to_bytes(table, table_meta(origin(120), 20261122))))
        assert {name: found.meta[name] for name, *_ in header_cards(origin(120), 20261122)} == {
            name: value for name, value, _ in header_cards(origin(120), 20261122)
        }

    def test_name_no_filter_where_there_is_none(self):
        without = origin() | {"filter": ""}
        assert "FILTER" not in {name for name, *_ in header_cards(without, 20261122)}


def test_numbers_are_kept_to_seven_digits_and_nan_as_null():
    found = storable({"a": np.array([1.23456789, np.nan]), "b": np.int64(3), 4: (True, "x", -np.inf)})
    assert found == {"a": [1.234568, None], "b": 3, "4": [True, "x", None]}


def test_a_whole_sensor_fits_its_file(tmp_path):
    whole = MINICAM.by_id[SENSOR]
    one = master((whole.height, whole.width))
    content = image_file.to_bytes(one, CARDS, "adu")
    assert len(content) < one.image.nbytes + one.variance.nbytes
    assert image_file.read(kept(tmp_path, content)).image.shape == (whole.height, whole.width)


def test_a_small_variance_is_never_rounded_to_none(tmp_path):
    shape = (64, 64)
    variance = np.ones(shape, dtype=np.float32)
    variance[3, 4] = 1e-6
    master = MasterImage(np.zeros(shape, np.float32), variance, np.zeros(shape, np.int32), np.ones(shape, np.int16))
    path = tmp_path / "master.fits"
    path.write_bytes(image_file.to_bytes(master, [], "adu"))
    assert 0 < image_file.read(path).variance[3, 4] < 0.1

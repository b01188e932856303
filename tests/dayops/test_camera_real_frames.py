"""Every real raw frame is described rightly, and a real master is refused."""

import pytest

from dayops.camera.geometry import Box
from dayops.camera.headers import BadFrame, describe
from dayops.images import read_headers
from tests.real_data import FOLDER, needs_real_data, real_file

REAL = {
    # file: camera, detector, amplifiers, exposure, image type, seconds, filter, dayObs, begin (UTC)
    "lsst_headers/3018092000065-det000.fits": (
        ("latiss", "R00_S00", 16, "AT_C_20180920_000065"),
        ("SCIENCE", 27.0, "", 20180920, "2018-09-21T06:12:18.210000"),
    ),
    "lsst_headers/3019031900001-R10-S02-det029.fits": (
        ("lsstcam", "R10_S02", 16, "MC_C_20190319_000001"),
        ("BIAS", 0.0, "", 20190319, "2019-03-19T15:50:28.145000"),
    ),
    "lsst_headers/3019032200002-R10-S22-det035.fits": (
        ("lsstcam", "R10_S22", 16, "MC_C_20190322_000002"),
        ("FLAT", 1.0, "SDSSi~ND_OD0.5", 20190322, "2019-03-22T15:31:01.904000"),
    ),
    "lsst_headers/30211212000310-R22-S22-det098.fits": (
        ("lsstcam", "R22_S22", 16, "MC_C_20211212_000310"),
        ("FLAT", 7.83172, "SDSSi", 20211212, "2021-12-13T04:58:56.398000"),
    ),
    "lsst_headers/CC_S_20240404_000780_R22_S01.fits": (
        ("comcam", "R22_S01", 16, "CC_S_20240404_000780"),
        ("SCIENCE", 30.0, "r_03", 20240404, "2024-04-05T10:10:56.270000"),
    ),
    "lsst_headers/e2v_spot.fits.gz": (
        ("lsstcam", "R22_S11", 16, "MC_C_20191031_001985"),
        ("SPOT", 16.0, "", 20191031, "2019-11-01T02:50:06.589000"),
    ),
    "raw_frames/a8280271.fits": (
        ("generic", "CCD0", 1, "a8280271"),
        ("SCIENCE", 150.04, "48", 20130712, "2013-07-13T00:57:33"),
    ),
    "raw_frames/coj2m002-en12-20200321-0022-a00.fits.fz": (
        ("generic", "CCD0", 1, "coj2m002-en12-20200321-0022-a00"),
        ("ARC", 80.073, "air", 20200321, "2020-03-21T19:00:22.538000"),
    ),
    "raw_frames/coj2m002-en12-20200321-0023-w00.fits.fz": (
        ("generic", "CCD0", 1, "coj2m002-en12-20200321-0023-w00"),
        ("FLAT", 40.027, "air", 20200321, "2020-03-21T19:02:32.746000"),
    ),
    "raw_frames/coj2m002-en12-20210126-0004-w00.fits.fz": (
        ("generic", "CCD0", 1, "coj2m002-en12-20210126-0004-w00"),
        ("FLAT", 80.134, "air", 20210126, "2021-01-26T15:37:47.424000"),
    ),
    "raw_frames/coj2m002-en12-20210126-0005-a00.fits.fz": (
        ("generic", "CCD0", 1, "coj2m002-en12-20210126-0005-a00"),
        ("ARC", 40.063, "air", 20210126, "2021-01-26T15:39:58.094000"),
    ),
    "raw_frames/v_dark_1.fits.gz": (
        ("generic", "CCD0", 1, "v_dark_1"),
        ("DARK", 600.0, "", 20190912, "2019-09-12T15:37:39.697000"),
    ),
    "raw_frames/v_w_20180803_7_1_0_1.fits.gz": (
        ("generic", "CCD0", 1, "v_w_20180803_7_1_0_1"),
        ("FLAT", 1.0, "4020longpass", 20180803, "2018-08-03T20:21:09.357000"),
    ),
} | {
    f"raw_frames/v_e_20180810_12_{number}_0_0.fits.gz": (
        ("generic", "CCD0", 1, f"v_e_20180810_12_{number}_0_0"),
        ("SCIENCE", 120.0, "4020longpass", 20180810, began),
    )
    for number, began in enumerate(
        [
            "2018-08-10T23:22:58.628000",
            "2018-08-10T23:25:07.841000",
            "2018-08-10T23:27:16.110000",
            "2018-08-10T23:29:24.380000",
            "2018-08-10T23:31:32.648000",
        ],
        start=1,
    )
}


@needs_real_data
@pytest.mark.parametrize("place", REAL)
def test_every_real_frame_is_described_rightly(place):
    what, how = REAL[place]
    frame = describe(*read_headers(real_file(*place.split("/"))), place.split("/")[1])
    began = frame.began_at.replace(tzinfo=None).isoformat()
    assert (frame.camera, frame.detector.name, len(frame.detector.amplifiers), frame.exposure) == what
    assert (frame.image_type, frame.exposure_s, frame.filter, frame.day_obs, began) == how


@needs_real_data
def test_the_real_frames_are_all_in_the_table_above():
    there = {
        f"{path.parent.name}/{path.name}"
        for part in ("lsst_headers", "raw_frames")
        for path in (FOLDER / part).iterdir()
    }
    assert there - {"lsst_headers/bias-det000_2018-09-21.fits"} == set(REAL)


@needs_real_data
def test_a_real_master_bias_is_refused_as_no_raw_frame():
    headers, shapes = read_headers(real_file("lsst_headers", "bias-det000_2018-09-21.fits"))
    with pytest.raises(BadFrame, match="finished calibration product") as refusal:
        describe(headers, shapes, "bias-det000_2018-09-21.fits")
    assert len(refusal.value.problems) == 1


@needs_real_data
def test_a_real_overscan_lies_where_biassec_has_it():
    frame = describe(*read_headers(real_file("raw_frames", "a8280271.fits")), "a8280271.fits")
    amplifier = frame.detector.amplifiers[0]
    assert (amplifier.image, amplifier.serial_overscan) == (Box(16, 0, 528, 520), Box(3, 0, 13, 520))

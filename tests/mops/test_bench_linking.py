"""The benchmark of linking: its quick slice measures, and what it hands to the peer is right."""

import json

import numpy as np
import pytest

from bench import linking
from mops.science.constants import AU_KM
from mops.science.ephemeris import earth
from mops.science.time_scales import tdb_from_tai

KEYS = {
    "detections", "findable", "completeness", "purity", "seconds", "cpu_s", "peak_gib", "heliolinx_completeness",
    "heliolinx_purity", "heliolinx_cpu_s", "cpu_ratio_vs_heliolinx",
}  # fmt: skip


@pytest.fixture(scope="module")
def report():
    return linking.run(quick=True)


def test_the_quick_slice_measures_every_key(report):
    assert set(report) >= KEYS
    json.dumps(report)
    assert report["detections"] > 1000 and report["findable"] > 50
    assert report["cpu_s"] > 0 and report["peak_gib"] > 0


def test_the_quick_slice_is_complete_and_pure(report):
    assert report["completeness"] > 0.98 and report["purity"] > 0.99


def test_the_peer_gets_the_same_sky_in_its_own_units(tmp_path):
    pointings, detections, _ = linking._catalogue(500, 0.0, 15, quick=True)
    linking._write_for_peer(tmp_path / "peer.npz", pointings, detections)
    given = np.load(tmp_path / "peer.npz")
    assert np.array_equal(given["image_mjd"][given["image"]], detections.mjd_tai)
    assert (np.diff(given["image_mjd"]) > 0).all()
    place, _ = earth(np.asarray(tdb_from_tai(given["image_mjd"])))
    assert np.linalg.norm(given["image_place"] / AU_KM, axis=1) == pytest.approx(
        np.linalg.norm(place, axis=1), abs=1e-4
    )
    assert np.abs(given["earth_place"][:, 2]).max() < 1e5  # km: the axes are the ecliptic's
    assert np.linalg.norm(given["earth_velocity"], axis=1) == pytest.approx(29.8, abs=0.6)


def test_lists_of_the_peer_are_put_together_by_cluster(tmp_path):
    np.savez(tmp_path / "theirs.npz", cluster=np.array([1, 0, 1, 0]), detection=np.array([7, 3, 9, 4]))
    first, members = linking._lists(tmp_path / "theirs.npz")
    assert first.tolist() == [0, 2, 4] and members.tolist() == [3, 4, 7, 9]


def test_a_peer_that_fails_ends_the_benchmark():
    with pytest.raises(SystemExit, match="nothing was measured"):
        linking._child(["false"])

"""The peer of `bench.linking`, run by the Python of its own environment: ``python _heliolinx.py IN.npz OUT.npz``.

Preparing its arrays is not counted. Prints CPU seconds of its three stages and its peak memory as JSON.
"""

import json
import resource
import sys
import time
from typing import Any

import numpy as np
from heliolinx import heliolinx as hl  # type: ignore[import-not-found]

RADIUS_KM, MOST_RMS_KM = 2e5, 8e5  # the settings under which its standing was measured


def main(source: str, target: str) -> None:
    given = np.load(source)
    detections, images, hypotheses, earth = _prepared(given)
    seconds: dict[str, float] = {}
    clock = time.process_time()
    config = hl.MakeTrackletsConfig()
    config.maxtime, config.maxvel, config.minarc, config.maxgcr, config.imagerad = 1.5 / 24, 1.5, 1.0, 0.5, 2.0
    paired, tracklets, listed = hl.makeTracklets(config, detections, images)
    seconds["tracklets"], clock = time.process_time() - clock, time.process_time()
    config = hl.HeliolincConfig()
    config.MJDref, config.clustrad = float(given["reference"]), RADIUS_KM
    clusters, members = hl.heliolinc(config, images, paired, tracklets, listed, hypotheses, earth)
    seconds["linking"], clock = time.process_time() - clock, time.process_time()
    config = hl.LinkPurifyConfig()
    config.MJDref, config.simptype, config.ptpow, config.maxrms = float(given["reference"]), 1, 3, MOST_RMS_KM
    clusters, members = hl.linkPurify(config, images, paired, clusters, members)
    seconds["purifying"] = time.process_time() - clock
    own = np.array([int(word) for word in paired["idstring"]], dtype=np.int64)
    np.savez(target, cluster=members["i1"], detection=own[members["i2"]])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(json.dumps({"seconds": seconds, "tracklets": len(tracklets), "linkages": len(clusters), "peak_gib": peak}))


def _prepared(given: Any) -> tuple[Any, Any, Any, Any]:
    detections = hl.create_hldet(len(given["mjd"]))
    for name, column in (("MJD", "mjd"), ("RA", "ra"), ("Dec", "dec"), ("mag", "mag")):
        detections[name] = given[column]
    detections["idstring"] = np.arange(len(detections)).astype("S20")
    detections["band"], detections["obscode"] = b"r", b"X05"
    detections["index"], detections["image"] = np.arange(len(detections)), given["image"]
    images = hl.create_hlimage(len(given["image_mjd"]))
    images["MJD"], images["RA"], images["Dec"] = given["image_mjd"], given["image_ra"], given["image_dec"]
    images["obscode"], images["exptime"] = b"X05", 30.0
    for axis, name in enumerate("XYZ"):
        images[name], images["V" + name] = given["image_place"][:, axis], given["image_velocity"][:, axis]
    hypotheses = hl.create_hlradhyp(len(given["hypotheses"]))
    for number, name in enumerate(("HelioRad", "R_dot", "R_dubdot")):
        hypotheses[name] = given["hypotheses"][:, number]
    earth = hl.create_EarthState(len(given["earth_mjd"]))
    earth["MJD"] = given["earth_mjd"]
    for axis, name in enumerate("xyz"):
        earth[name], earth["v" + name] = given["earth_place"][:, axis], given["earth_velocity"][:, axis]
    return detections, images, hypotheses, earth


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])

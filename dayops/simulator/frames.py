"""One planned exposure of one detector, as the bytes of its raw file."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from dayops.camera import Camera, Detector
from dayops.day_plan import PlannedExposure
from dayops.observing_day import mjd_tai, tai_offset
from dayops.simulator.faults import Acts, Fault, Hit
from dayops.simulator.fits_writer import Card, write_frame
from dayops.simulator.pixels import collect, read_out
from dayops.simulator.scenes import scene_for
from dayops.simulator.seeds import generator
from dayops.simulator.truth import DetectorTruth, truth_for

READOUT_S = 2.0  # dark current also collects while the pixels wait to be read
_CAMERA_CODE = {"latiss": "AT", "comcam": "CC"}


@dataclass(frozen=True, slots=True)
class Shot:
    """An exposure that the simulated `camera` takes: its plan, its day and the UTC instant at which it begins."""

    camera: Camera
    day_obs: int
    planned: PlannedExposure
    begins_at: datetime

    @property
    def code(self) -> str:
        return _CAMERA_CODE.get(self.camera.name, "MC")

    @property
    def name(self) -> str:
        """LSST's observation id, with S for a simulated controller: ``MC_S_20261122_000012``."""
        return f"{self.code}_S_{self.day_obs}_{self.planned.seq_num:06d}"

    @property
    def dark_time_s(self) -> float:
        """A bias is read at once; anything else waits half the readout on average."""
        return self.planned.exposure_s + READOUT_S / 2 if self.planned.image_type != "BIAS" else 0.0

    def file_name(self, detector: Detector, repeat: int = 0) -> str:
        """`repeat` above 0 names the file of a frame that is offered more than once."""
        return f"{self.name}_{detector.name}{f'_again{repeat}' if repeat else ''}.fits"

    def hit_by(self, fault: Fault | None, detector: Detector, seed: int) -> Hit:
        """How `fault` acts on the frame of one detector."""
        healthy = Hit(Acts(), 0.0, self.camera, detector, self.planned, 0, (), ())
        return fault.hit(healthy, seed, self.day_obs) if fault else healthy


def simulate(shot: Shot, detector_id: int, seed: int, fault: Fault | None = None, repeat: int = 0) -> bytes:
    """The raw FITS file of `shot` on one detector. Same arguments, same bytes.

    `fault` acts where it hits this frame. `repeat` above 0 is the same exposure with other noise.
    """
    planned = shot.planned
    hit = shot.hit_by(fault, shot.camera.by_id[detector_id], seed)
    truth = hit.acts.on_truth(truth_for(shot.camera, detector_id, seed, shot.day_obs), hit)
    light_e = scene_for(planned.image_type, planned.filter).electrons(shot.camera, truth.detector, planned.exposure_s)
    rng = generator("frame", seed, shot.day_obs, planned.seq_num, detector_id, *([repeat] if repeat else []))
    electrons = collect(truth, hit.acts.on_light(light_e, hit), shot.dark_time_s, rng)
    segments = hit.acts.on_pixels(read_out(truth, hit.acts.on_electrons(electrons, hit), rng), hit)
    cards = hit.acts.on_cards(_primary_cards(shot, truth), hit)
    return hit.acts.on_bytes(write_frame(truth.detector, segments, cards), hit)


def _primary_cards(shot: Shot, truth: DetectorTruth) -> list[Card]:
    return [*_observation_cards(shot), *_time_cards(shot), *_sensor_cards(shot.camera, truth)]


def _observation_cards(shot: Shot) -> list[Card]:
    planned = shot.planned
    beam: list[Card] = [("FILTER", planned.filter, "filter in the beam")] if planned.filter else []
    return [
        ("OBSID", shot.name, "name of the exposure"),
        ("INSTRUME", shot.camera.instruments[0], "instrument"),
        ("TELESCOP", "Simulated Survey Telescope", "telescope"),
        ("CAMCODE", shot.code, "code of the camera in OBSID"),
        ("CONTRLLR", "S", "S: simulated"),
        ("DAYOBS", str(shot.day_obs), "date of TAI - 12 h"),
        ("SEQNUM", planned.seq_num, "number of the exposure in the day"),
        ("GROUPID", f"{shot.day_obs}-{planned.step}", "exposures that belong together"),
        ("IMGTYPE", planned.image_type, "BIAS, DARK, FLAT or PTC"),
        ("TESTTYPE", planned.image_type, "as IMGTYPE"),
        ("PROGRAM", "daily-calibration", "why it was taken"),
        ("DAYSTEP", planned.step, "step of the day's plan"),
        ("NEXPECT", len(shot.camera.detectors), "number of detectors that are read out"),
        *beam,
        ("EXPTIME", planned.exposure_s, "[s] shutter open, or lamp on"),
        ("DARKTIME", shot.dark_time_s, "[s] over which dark current collects"),
    ]


def _time_cards(shot: Shot) -> list[Card]:
    begins, ends = shot.begins_at, shot.begins_at + timedelta(seconds=shot.planned.exposure_s)
    return [
        ("TIMESYS", "TAI", "time scale of every date here"),
        ("DATE-OBS", _tai(begins), "start of the exposure"),
        ("DATE-BEG", _tai(begins), "start of the exposure"),
        ("DATE-END", _tai(ends), "end of the exposure"),
        ("MJD-BEG", round(mjd_tai(begins), 9), "[d] start of the exposure"),
        ("MJD-END", round(mjd_tai(ends), 9), "[d] end of the exposure"),
    ]


def _sensor_cards(camera: Camera, truth: DetectorTruth) -> list[Card]:
    detector = truth.detector
    return [
        ("RAFTBAY", detector.raft, "raft"),
        ("CCDSLOT", detector.slot, "slot in the raft"),
        ("LSST_NUM", f"{detector.vendor}-{detector.id:03d}", "serial number of the sensor"),
        ("CCD_MANU", detector.vendor, "manufacturer"),
        ("CCD_TYPE", f"{detector.width}x{detector.height}", "model"),
        ("DETSIZE", f"[1:{detector.width},1:{detector.height}]", "light-sensitive pixels"),
        ("TEMP_SET", -100.0, "[deg C] temperature wanted"),
        ("CCDTEMP", round(truth.temperature_c, 3), "[deg C] temperature of the sensor"),
        ("BUNIT", "adu", "unit of the pixels"),
    ]


def _tai(at: datetime) -> str:
    return (at + tai_offset(at)).replace(tzinfo=None).isoformat(timespec="milliseconds")

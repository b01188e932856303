"""RQ entry points of DayMOPS: load, call a step, commit what it leaves."""

from dayops.engine import BadInput, Work, job_function
from mops.models import KeptArrays, Night
from mops.pipeline import attributing, kept, linking, publishing, purifying, reporting, tracklet_making
from mops.pipeline.configuration import Configuration, of_parameters
from mops.science.tracklets import Flood

Kind = KeptArrays.Kind


@job_function("mops.attribute")
def attribute(work: Work) -> None:
    """Give the night's detections of known objects to them."""
    night, wanted = _night(work)
    work.progress(0.05, "reading detections and known orbits")
    found = attributing.attribute_night(night, wanted)
    stored = kept.put(found.arrays)
    with work.commit(outputs=[stored.sha256]) as result:
        kept.keep(night, Kind.ATTRIBUTIONS, stored, rows=found.rows, day_obs=night.day_obs)
        result.update(found.counts)


@job_function("mops.tracklets")
def tracklets(work: Work) -> None:
    """Make the tracklets of one night from what is left of its detections."""
    night, wanted = _night(work)
    day: int = work.arguments["day_obs"]
    try:
        made = tracklet_making.make(night, day, wanted)
    except Flood as flood:
        raise BadInput(str(flood)) from flood
    stored = kept.put(made.arrays)
    with work.commit(outputs=[stored.sha256]) as result:
        kept.keep(night, Kind.TRACKLETS, stored, rows=made.rows, day_obs=day, made_with=wanted.of_tracklets)
        result.update(made.counts)


@job_function("mops.link")
def link(work: Work) -> None:
    """Look for clusters under one block of hypotheses."""
    night, wanted = _night(work)
    arguments = work.arguments
    try:
        found = linking.link_block(night, wanted, arguments["block"], arguments["blocks"])
    except Flood as flood:
        raise BadInput(str(flood)) from flood
    stored = kept.put(found.arrays)
    with work.commit(outputs=[stored.sha256]) as result:
        key = f"{arguments['block'] + 1:03}"
        kept.keep(night, Kind.CLUSTERS, stored, rows=found.rows, day_obs=night.day_obs, key=key)
        result.update(found.counts)


@job_function("mops.purify")
def purify(work: Work) -> None:
    """Fit orbits to all clusters, and keep those linkages that an orbit explains."""
    night, wanted = _night(work)
    try:
        found = purifying.purify_night(night, wanted, lambda share, text: work.progress(share, text))
    except Flood as flood:
        raise BadInput(str(flood)) from flood
    stored = kept.put(found.arrays)
    with work.commit(outputs=[stored.sha256]) as result:
        kept.keep(night, Kind.LINKAGES, stored, rows=found.rows, day_obs=night.day_obs)
        result.update(found.counts)


@job_function("mops.publish")
def publish(work: Work) -> None:
    """Put the night's result in the place of what is published, or refuse it and say why; all in one transaction."""
    night, wanted = _night(work)
    prepared = publishing.prepare(night, wanted)
    with work.commit() as result:
        result.update(publishing.publish(night, wanted, prepared))


@job_function("mops.report")
def report(work: Work) -> None:
    """Queue the reports to the Minor Planet Center, and predict tonight's places."""
    night, wanted = _night(work)
    prepared = reporting.prepare(night, wanted)
    with work.commit(outputs=prepared.files) as result:
        result.update(reporting.queue(night, prepared))


def _night(work: Work) -> tuple[Night, Configuration]:
    night = Night.objects.select_related("run").get(pk=work.arguments["night"])
    return night, of_parameters(night.configuration, night.parameters)

"""One object's report, ready for the queue: what is in it, both files, and what is wrong with it."""

from collections.abc import Sequence
from dataclasses import dataclass

from mops.mpc.ades_psv import parse_psv
from mops.mpc.ades_validate import validate
from mops.mpc.ades_write import Context, ades_document, psv_bytes, xml_bytes
from mops.mpc.ades_xml import parse_xml
from mops.mpc.batches import Batch, Kind, Policy, batch
from mops.mpc.observation import Observation


@dataclass(frozen=True, slots=True)
class Report:
    """`psv` and `xml` are the files, b'' where nothing is to be reported. `problems` : sentences; with any, the
    report must not be sent.
    """

    batch: Batch
    psv: bytes
    xml: bytes
    problems: tuple[str, ...]

    @property
    def digest(self) -> str:
        """Names the observations, whatever their order and the object's name (`mops.mpc.batches.digest`)."""
        return self.batch.digest


def report(
    observations: Sequence[Observation],
    kind: Kind,
    context: Context,
    *,
    sent: frozenset[str] = frozenset(),
    policy: Policy | None = None,
) -> Report:
    """The report of one object's `observations`; arguments as of `mops.mpc.batches.batch`.

    Both files are read back and held against the rules, so that a problem's line is the line of the PSV file.
    """
    made = batch(observations, kind, sent=sent, policy=policy)
    if made.refused:
        return Report(made, b"", b"", (made.refused,))
    document = ades_document(made.observations, context)
    psv, xml = psv_bytes(document), xml_bytes(document)
    return Report(made, psv, xml, _problems(psv, xml))


def _problems(psv: bytes, xml: bytes) -> tuple[str, ...]:
    found = validate(parse_psv(psv.decode()))
    of_xml = {(problem.field, problem.sentence) for problem in validate(parse_xml(xml))}
    extra = sorted(of_xml - {(problem.field, problem.sentence) for problem in found})
    return (
        *(f"line {problem.line}: {problem.sentence}" for problem in found),
        *(f"XML: {sentence}" for _, sentence in extra),
    )

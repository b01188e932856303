"""The segments of a raw file: which HDU holds which amplifier, and whether geometry agrees with what it holds."""

from collections.abc import Sequence

from dayops.camera import sections
from dayops.camera.cards import Header, clean
from dayops.camera.generic import Shape
from dayops.camera.geometry import Amplifier, Detector

READOUT_CARDS = ("AVERAGE", "AVGBIAS", "STDVBIAS", "STDEV")


def hdu_numbers(detector: Detector, headers: Sequence[Header]) -> list[int | None]:
    """The HDU of each amplifier by its EXTNAME (or by number, as `dayops.camera.generic` writes it); None if absent."""
    named = {clean(header.get("EXTNAME")): hdu for hdu, header in enumerate(headers)}
    numbered = {str(hdu): hdu for hdu in range(len(headers))}
    return [(numbered | named).get(amplifier.extension) for amplifier in detector.amplifiers]


def amplifier_headers(detector: Detector, headers: Sequence[Header]) -> list[dict[str, object]]:
    """For each amplifier its name and what the readout itself measured, in ADU, as far as the header says it."""
    hdus = hdu_numbers(detector, headers)
    return [
        {"name": amplifier.name}
        | {card: headers[hdu][card] for card in READOUT_CARDS if hdu is not None and card in headers[hdu]}
        for amplifier, hdu in zip(detector.amplifiers, hdus, strict=True)
    ]


def problems(detector: Detector, headers: Sequence[Header], shapes: Sequence[Shape]) -> list[str]:
    """Every way in which the file disagrees with `detector`: one sentence for each kind, naming the segments."""
    found = {clean(header.get("EXTNAME")): hdu for hdu, header in enumerate(headers) if shapes[hdu]}
    here = [
        (amplifier, found[amplifier.extension]) for amplifier in detector.amplifiers if amplifier.extension in found
    ]
    missing = [amplifier.extension for amplifier in detector.amplifiers if amplifier.extension not in found]
    strange = sorted(set(found) - {amplifier.extension for amplifier in detector.amplifiers})
    first = detector.amplifiers[0]
    size = f"{first.raw_width} × {first.raw_height}"
    section = sections.format_section(first.image)
    return [
        *_sentence(missing, f"missing of the {len(detector.amplifiers)} segments of {detector.name}"),
        *_sentence(strange, f"not among the segments of {detector.name}"),
        *_sentence([a.extension for a, hdu in here if not _right_size(a, shapes[hdu])], f"not {size} pixels"),
        *_sentence([a.extension for a, hdu in here if not _right_data(a, headers[hdu])], f"DATASEC is not {section}"),
        *_sentence(
            [a.extension for a, hdu in here if not _right_place(a, headers[hdu])],
            f"DETSEC is not where geometry has it on {detector.name}",
        ),
    ]


def _sentence(segments: list[str], fault: str) -> list[str]:
    names = ", ".join(name or "an unnamed image" for name in segments[:16])
    return [f"{names}: {fault}."] if segments else []


def _right_size(amplifier: Amplifier, shape: Shape) -> bool:
    return shape == (amplifier.raw_height, amplifier.raw_width)


def _right_data(amplifier: Amplifier, header: Header) -> bool:
    try:
        said = sections.parse(header.get("DATASEC"))
    except ValueError:
        return False
    return said is None or said.box == amplifier.image


def _right_place(amplifier: Amplifier, header: Header) -> bool:
    try:
        said = sections.parse(header.get("DETSEC"))
    except ValueError:
        return False
    return said is None or (said.box, said.flip_x, said.flip_y) == (amplifier.place, amplifier.flip_x, amplifier.flip_y)

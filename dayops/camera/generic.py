"""The detector of a camera nobody described: one amplifier for each image in the file, as its section cards have it.

TRIMSEC, else DATASEC, else the whole image holds light. BIASSEC is overscan: serial where it lies beside the light,
parallel where it lies above or below. DETSEC places the amplifiers on the detector; without it they stand in a row.
What no card says (gain, read noise, saturation) is NaN, and measurements that need it do not apply.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dayops.camera import sections
from dayops.camera.cards import Cards, Findings, Header, clean
from dayops.camera.geometry import Amplifier, Box, Detector
from dayops.camera.sections import Section

Shape = tuple[int, ...] | None
LARGEST_SIDE = 16_384  # the largest single CCDs have 10,560 pixels a side; more is a lie that would fill the memory
_PIXEL_UM = 10.0  # only for drawing, where XPIXSZ does not say


def detector(headers: Sequence[Header], shapes: Sequence[Shape], findings: Findings) -> Detector | None:
    """The detector that the image HDUs describe, or None with the problems said.

    `shapes` are those of the pixel arrays, rows first, None for an HDU without an image.
    """
    images = [hdu for hdu, shape in enumerate(shapes) if shape]
    amplifiers = [_amplifier(index, hdu, headers, shapes[hdu] or (), findings) for index, hdu in enumerate(images)]
    known = [each for each in amplifiers if each is not None]
    if not known or len(known) < len(amplifiers):
        findings.problems += [] if images else ["The file holds no image: expected at least one HDU with two axes."]
        return None
    placed = _placed(known)
    cards = _cards(headers, images[0], findings)
    return Detector(
        id=0,
        name="CCD0",
        raft="",
        slot="CCD0",
        kind="SCIENCE",
        vendor=cards.text("CCD_MANU", "DETECTOR", limit=40),
        width=max(amplifier.place.x1 for amplifier in placed),
        height=max(amplifier.place.y1 for amplifier in placed),
        pixel_um=_positive(cards.number("XPIXSZ"), _PIXEL_UM),
        x_mm=0.0,
        y_mm=0.0,
        rotation_deg=0,
        amplifiers=placed,
    )


@dataclass(frozen=True, slots=True)
class _Unplaced:
    """An amplifier whose place on the detector is not settled; `detsec` is where its card wants it."""

    amplifier: Amplifier
    detsec: Section | None


def _cards(headers: Sequence[Header], hdu: int, findings: Findings) -> Cards:
    return Cards({**headers[0], **headers[hdu]}, findings)


def _positive(number: float, otherwise: float) -> float:
    return number if number > 0 else otherwise


def _amplifier(
    index: int, hdu: int, headers: Sequence[Header], shape: tuple[int, ...], findings: Findings
) -> _Unplaced | None:
    if len(shape) != 2 or not 0 < min(shape) <= max(shape) <= LARGEST_SIDE:
        findings.problems.append(
            f"HDU {hdu} is an image of shape {shape}: expected two axes of at most {LARGEST_SIDE} pixels."
        )
        return None
    cards = _cards(headers, hdu, findings)
    try:
        data, bias, detsec = _sections(cards, Box(0, 0, shape[1], shape[0]))
    except ValueError as error:
        findings.problems.append(f"HDU {hdu}: {error}")
        return None
    beside = bias is not None and (bias.x1 <= data.box.x0 or bias.x0 >= data.box.x1)
    extension = clean(headers[hdu].get("EXTNAME"), 68)
    amplifier = Amplifier(
        index=index,
        name=extension[:20] or f"A{index}",
        extension=extension if _is_unique(extension, headers) else str(hdu),
        raw_width=shape[1],
        raw_height=shape[0],
        image=data.box,
        prescan=None,
        serial_overscan=bias if beside else None,
        parallel_overscan=None if beside else bias,
        place=Box(0, 0, data.box.width, data.box.height),
        flip_x=detsec is not None and detsec.flip_x != data.flip_x,
        flip_y=detsec is not None and detsec.flip_y != data.flip_y,
        gain=cards.number("GAIN", "EPERDN", "EGAIN"),
        read_noise=cards.number("RDNOISE", "READNOIS", "RON"),
        saturation=_saturation(cards),
    )
    return _Unplaced(amplifier, detsec)


def _sections(cards: Cards, whole: Box) -> tuple[Section, Box | None, Section | None]:
    """The light, the overscan and the wanted place of one image; ValueError where they cannot be."""
    data = _inside(cards, whole, "TRIMSEC", "DATASEC") or Section(whole)
    bias = _inside(cards, whole, "BIASSEC")
    if bias and _overlap(bias.box, data.box):
        raise ValueError("BIASSEC overlaps the pixels that hold light.")
    return data, bias.box if bias else None, sections.parse(cards.values.get("DETSEC"))


def _inside(cards: Cards, whole: Box, *names: str) -> Section | None:
    for name in names:
        section = sections.parse(cards.values.get(name))
        if section is None:
            continue
        if section.box.x1 > whole.x1 or section.box.y1 > whole.y1:
            raise ValueError(f"{name} reaches beyond the image of {whole.width} × {whole.height} pixels.")
        return section
    return None


def _is_unique(extension: str, headers: Sequence[Header]) -> bool:
    return bool(extension) and [clean(header.get("EXTNAME"), 68) for header in headers].count(extension) == 1


def _saturation(cards: Cards) -> float:
    """SATURATE in ADU, else the largest number a 16-bit file can hold."""
    said = cards.number("SATURATE")
    if said > 0 or cards.number("BITPIX") != 16:
        return said
    return 32_767 + _positive(cards.number("BZERO"), 0.0)


def _overlap(a: Box, b: Box) -> bool:
    return a.x0 < b.x1 and b.x0 < a.x1 and a.y0 < b.y1 and b.y0 < a.y1


def _placed(amplifiers: list[_Unplaced]) -> tuple[Amplifier, ...]:
    """Amplifiers where DETSEC puts them if that makes sense for all of them, else side by side."""
    wanted = [each.detsec.box for each in amplifiers if each.detsec is not None]
    if len(wanted) == len(amplifiers) and _makes_sense(wanted, [each.amplifier for each in amplifiers]):
        left, bottom = min(box.x0 for box in wanted), min(box.y0 for box in wanted)
        places = [Box(box.x0 - left, box.y0 - bottom, box.x1 - left, box.y1 - bottom) for box in wanted]
        return tuple(replace(each.amplifier, place=place) for each, place in zip(amplifiers, places, strict=True))
    return _in_a_row([replace(each.amplifier, flip_x=False, flip_y=False) for each in amplifiers])


def _makes_sense(wanted: list[Box], amplifiers: list[Amplifier]) -> bool:
    same_size = all(
        (box.width, box.height) == (amplifier.image.width, amplifier.image.height)
        for box, amplifier in zip(wanted, amplifiers, strict=True)
    )
    apart = not any(_overlap(a, b) for i, a in enumerate(wanted) for b in wanted[:i])
    width, height = max(box.x1 for box in wanted), max(box.y1 for box in wanted)
    compact = (width - min(b.x0 for b in wanted)) * (height - min(b.y0 for b in wanted)) <= 4 * sum(
        box.width * box.height for box in wanted
    )
    return same_size and apart and compact


def _in_a_row(amplifiers: list[Amplifier]) -> tuple[Amplifier, ...]:
    row, x = [], 0
    for amplifier in amplifiers:
        row.append(replace(amplifier, place=Box(x, 0, x + amplifier.image.width, amplifier.image.height)))
        x += amplifier.image.width
    return tuple(row)

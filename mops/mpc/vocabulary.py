"""The words that the Minor Planet Center accepts in ADES fields, and their one-letter forms in 80-column records.

Sources: Minor Planet Center, "Valid ADES Field Values", "MPC1992 format", "Catalogue codes".
"""


def _words(text: str) -> list[str]:
    return text.split()


MODES = frozenset({"CCD", "CMO", "VID", "TDI", "OCC"})
HISTORICAL_MODES = frozenset({"PHO", "ENC", "PMT", "MIC", "MER", "UNK"})

# the letters are those of column 72
_CATALOGUE_LETTERS = _words(
    "a USNOA1 b USNOSA1 c USNOA2 d USNOSA2 e UCAC1 f Tyc1 g Tyc2 h GSC1.0 i GSC1.1 j GSC1.2 k GSC2.2 l ACT m GSCACT"
    " n SDSS8 o USNOB1 p PPM q UCAC4 r UCAC2 t PPMXL u UCAC3 v NOMAD w CMC14 x Hip2 y Hip1 z GSC A AC B SAO1984 C SAO"
    " D AGK3 E FK4 F ACRS G LickGas H Ida93 I Perth70 J COSMOS K Yale L 2MASS M GSC2.3 N SDSS7 O SSTRC1 P MPOSC3"
    " Q CMC15 R SSTRC4 S URAT1 U Gaia1 V Gaia2 W Gaia3 X Gaia3E Y UCAC5 Z ATLAS2 0 IHW 1 PS1_DR1 2 PS1_DR2"
    " 3 Gaia_Int 4 GZ 5 UBSC 6 Gaia_2016 7 ZZCAT"
)
CATALOGUE_OF = dict(zip(_CATALOGUE_LETTERS[::2], _CATALOGUE_LETTERS[1::2], strict=True))
LETTER_OF_CATALOGUE = {name: letter for letter, name in CATALOGUE_OF.items()}
CATALOGUES = frozenset(
    _words(
        "Gaia3 Gaia3E Gaia2 Gaia1 Gaia_2016 Gaia_Int PS1_DR1 PS1_DR2 ATLAS2 UCAC5 UCAC4 URAT1 2MASS NOMAD PPMXL UBSC"
    )
)
HISTORICAL_CATALOGUES = frozenset(CATALOGUE_OF.values()) - CATALOGUES | {"UNK"}

BANDS = frozenset(
    _words(
        "Lu Lg Lr Li Lz Ly VR Vj Rc Ic Bj Uj Sg Sr Si Sz Pg Pr Pi Pz Pw Py Ao Ac G Gb Gr W"
        " U B V R I g r i z w y o c J H K Y"
    )
)
HISTORICAL_BANDS = frozenset({"C", "L", "u"})  # "must not be used on new submissions"
BAND_LETTERS = frozenset("BVRIJWUCLHKYGgriwyzocvu")  # column 71
BAND_LETTER_OF = {
    **{f"L{band}": band for band in "ugrizy"},
    **{f"{system}{band}": band for system in "SP" for band in "grizwy"},
    **dict(zip(_words("Vj Rc Ic Bj Uj Ao Ac Gb Gr VR"), "VRIBUocGGV", strict=True)),
}

NOTES = frozenset("AaBbcDdEeFfGgHhIiKkLMmNnOoPpRrSsTtUuVWwZ")

# column 15, as far as it says how an observation was made
MODE_OF_NOTE = {
    "C": "CCD", "c": "CCD", "D": "CCD", "B": "CMO", "P": "PHO", " ": "PHO", "Z": "PHO", "A": "PHO", "N": "PHO",
    "n": "VID", "e": "ENC", "T": "MER", "M": "MIC", "H": "PMT", "E": "OCC", "S": "CCD",
}  # fmt: skip
NOTE_OF_MODE = {
    "CCD": "C", "": "C", "TDI": "C", "CMO": "B", "PHO": "P", "VID": "n", "ENC": "e", "MER": "T", "MIC": "M",
    "PMT": "H", "OCC": "E", "UNK": " ",
}  # fmt: skip


def lsst_band(band: str) -> int:
    """Index in ``ugrizy`` of an ADES band of any survey (LSST, Sloan, Pan-STARRS or a bare letter), −1 for others."""
    letter = band[1] if len(band) == 2 and band[0] in "LSP" else band
    return "ugrizy".find(letter) if len(letter) == 1 else -1

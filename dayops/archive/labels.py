"""Names that came from outside, made fit to be kept, printed and shown."""

LONGEST = 255


def printable(text: str) -> str:
    """`text` with a replacement character for everything that could steer a terminal, a page or an encoder."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def label(file_name: str) -> str:
    """The last part of a file name: never a path, printable, at most 255 characters."""
    last = file_name.replace("\\", "/").rpartition("/")[2]
    return printable(last)[:LONGEST]

"""Numbers in the digits 0–9, A–Z, a–z, as packed designations use them (MPC, "Packed designations")."""

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def encoded(number: int, width: int) -> str:
    """`number` in exactly `width` digits; ValueError where it needs more or is negative."""
    if not 0 <= number < 62**width:
        raise ValueError(f"{number} does not fit {width} digits of base 62 (largest {62**width - 1})")
    digits = []
    for _ in range(width):
        number, digit = divmod(number, 62)
        digits.append(DIGITS[digit])
    return "".join(reversed(digits))


def decoded(text: str) -> int:
    """The number written in `text`; ValueError where a character is no digit."""
    number = 0
    for character in text:
        digit = DIGITS.find(character)
        if digit < 0:
            raise ValueError(f"{character!r} in {text!r} is no digit of base 62 (0–9, A–Z, a–z)")
        number = 62 * number + digit
    return number

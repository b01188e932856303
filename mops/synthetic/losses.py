"""Why something was lost: a limit, and what was found instead."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Loss:
    """One limit that was not kept, or a plain reason where no limit has a figure.

    what : what is limited, "pair arc", or the reason.  value, bound : what was found and the limit, in `unit` (with its
    space where it takes one).  least : the limit is the least that is allowed, else the most.  because : what lies
    behind it.
    """

    what: str
    value: float | None = None
    bound: float | None = None
    unit: str = ""
    least: bool = False
    because: "Loss | None" = None

    @property
    def limit(self) -> str:
        """The limit alone, the same for all it loses: "pair arc < 1″"; what lies behind where that is known."""
        if self.because:
            return self.because.limit
        return self.what if self.bound is None else f"{self.what} {self._sign} {self.bound:g}{self.unit}"

    @property
    def _sign(self) -> str:
        return "<" if self.least else ">"

    def __str__(self) -> str:
        if self.value is None or self.bound is None:
            own = self.what
        else:
            own = f"{self.what} {self.value:.3g}{self.unit} {self._sign} {self.bound:g}{self.unit}"
        return f"{own}: {self.because}" if self.because else own

"""Why something was lost: a limit, and what was found instead."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Loss:
    """One limit that was not kept.

    what : what is limited, "pair arc".  value, bound : what was found and the limit, in `unit` (with its space where
    it takes one).  least : the limit is the least that is allowed, else the most.  because : what lies behind it.
    """

    what: str
    value: float
    bound: float
    unit: str = ""
    least: bool = False
    because: "Loss | None" = None

    @property
    def limit(self) -> str:
        """The limit alone, the same for all it loses: "pair arc < 1″"; what lies behind where that is known."""
        if self.because:
            return self.because.limit
        return f"{self.what} {self._sign} {self.bound:g}{self.unit}"

    @property
    def _sign(self) -> str:
        return "<" if self.least else ">"

    def __str__(self) -> str:
        own = f"{self.what} {self.value:.3g}{self.unit} {self._sign} {self.bound:g}{self.unit}"
        return f"{own}: {self.because}" if self.because else own

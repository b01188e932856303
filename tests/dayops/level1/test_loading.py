import numpy as np
import pytest

from dayops.level1.loading import load_columns
from dayops.level1.reading import dia_sources
from tests.dayops.level1.tables import NIGHT, sources

pytestmark = pytest.mark.django_db


def test_what_was_loaded_is_read_back_bit_by_bit():
    given = sources(1000)
    done = load_columns(given)
    assert (done.rows, done.present, done.refused, done.nights) == (1000, 0, [], [NIGHT])
    read = dia_sources([NIGHT], columns=list(given))
    for name, values in given.items():
        np.testing.assert_array_equal(read[name], values)

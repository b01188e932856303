"""Pages of DayMOPS: the night, its candidates, what is known, coverage, comparisons, submissions, tonight."""

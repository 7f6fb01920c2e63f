"""A tenth of all answers fails at random; nothing is lost, nothing is done twice, and it does not cost much."""

from __future__ import annotations

import pytest

from benchmarks.faults import CASES, reconcile
from benchmarks.rows import make_rows

SOAK = [pytest.param(500, seed, marks=pytest.mark.soak) for seed in range(1, 10)]


@pytest.mark.parametrize("count, seed", [(500, 0), *SOAK, pytest.param(5_000, 1, marks=pytest.mark.soak)])
@pytest.mark.parametrize("case", CASES)
def test_a_run_survives_random_faults(case: str, count: int, seed: int) -> None:
    has_bulk, existing = CASES[case]
    rows = make_rows(count)
    clean = reconcile(rows, rate=0, has_bulk=has_bulk, existing=existing)

    run = reconcile(rows, rate=0.1, seed=seed, has_bulk=has_bulk, existing=existing)

    assert run.summary == clean.summary == f"{count:,} {'updated' if existing else 'created'}"
    assert (run.lost, run.created_twice) == (0, 0)
    assert run.most_bumps == (1 if existing else 0)
    # Of the few requests that bulk takes, a tenth is no number to count on.
    assert run.requests <= 1.3 * clean.requests + 3


def test_the_faults_are_real() -> None:
    run = reconcile(make_rows(500), rate=0.1, seed=1)

    assert run.faults > 30
    assert run.requests >= 500 + run.faults

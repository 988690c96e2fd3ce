"""The table of planted faults fits the source; `make mutants` plants them."""

from __future__ import annotations

from pathlib import Path

import mutants
import pytest
from mutant_table import FAULTS, Fault


@pytest.mark.parametrize("fault", FAULTS, ids=mutants.named)
def test_the_table_fits_the_source(fault: Fault) -> None:
    source = (mutants.ROOT / fault.file).read_text("utf-8")
    assert source.count(fault.old) == 1, "the table is stale: mend or replace this fault"
    assert fault.new != fault.old
    for argument in fault.tests.split():
        path, _, name = argument.partition("::")
        test = Path(__file__).parent / path
        assert test.is_file(), argument
        assert f"def {name}" in test.read_text("utf-8"), argument


def test_faults_are_many_and_different() -> None:
    assert len(FAULTS) >= 60
    assert sum(mutants.is_native(fault) for fault in FAULTS) >= 20
    assert len({(fault.file, fault.old, fault.new) for fault in FAULTS}) == len(FAULTS)


@pytest.mark.mutants
def test_the_tests_notice_most_faults() -> None:
    assert mutants.main() == 0

from pathlib import Path

import pytest

from benchmarks.labels import accuracy, balanced_accuracy, commonest, main, majority
from issue_pipeline.sandbox.world.posts import Truth

EXPORT = Truth("export", "devtools", would_pay=False, impact="high")
FREIGHT = Truth("freight", "logistics", would_pay=True, impact="low")


def test_a_cluster_has_the_problem_of_at_least_half_of_its_posts():
    assert majority([EXPORT, EXPORT, FREIGHT, None]) == EXPORT
    assert majority([EXPORT, FREIGHT, None]) is None
    assert majority([None, None]) is None
    assert majority([]) is None


def test_always_answering_the_commonest_is_accurate_but_not_balanced():
    pairs: list[tuple[object, object]] = [("low", "low"), ("low", "low"), ("high", "low")]
    pairs.append(("low", "high"))
    assert (accuracy(pairs), balanced_accuracy(pairs)) == (0.5, pytest.approx(1 / 3))
    assert (accuracy(commonest(pairs)), balanced_accuracy(commonest(pairs))) == (0.75, 0.5)


def test_without_a_database_it_says_what_to_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["--database", str(tmp_path / "none.duckdb")]) == 1
    assert "Run make demo first" in capsys.readouterr().err

"""Lab 5: a minute of `make soak`."""

from __future__ import annotations

from soaking import assert_a_minute_goes_well


def test_a_minute_of_faults_fails_no_question_and_loses_no_line_of_the_log(engine: None) -> None:
    assert_a_minute_goes_well("mlflow-flask", seed=189)

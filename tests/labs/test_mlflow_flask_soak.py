"""Lab 5: a minute of `make soak`."""

from __future__ import annotations

from soaking import soak


def test_a_minute_of_faults_fails_no_question_and_loses_no_line_of_the_log(engine: None) -> None:
    done = soak("mlflow-flask", "--minutes=0.75", "--seed=189")
    said, _ = done.communicate(timeout=900)
    assert done.returncode == 0, said
    assert "questions failed          0\n" in said
    print(said)

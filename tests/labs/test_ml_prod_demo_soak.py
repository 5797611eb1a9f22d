"""Lab 3: a minute of `make soak`; and what is stopped in the middle leaves nothing behind."""

from __future__ import annotations

import signal

from docker_cli import labels_of, wait_until
from soaking import assert_a_minute_goes_well, soak


def test_a_minute_of_faults_fails_no_question_and_loses_no_record(engine: None) -> None:
    assert_a_minute_goes_well("ml-prod-demo", seed=434)


def test_a_soak_that_is_interrupted_leaves_nothing(engine: None) -> None:
    stopped = soak("ml-prod-demo", "--minutes=10")

    def started() -> list[str]:
        return [row for row in labels_of("container") if f"labtest-{stopped.pid}-" in row]

    wait_until(started, 300)
    stopped.send_signal(signal.SIGINT)
    said, _ = stopped.communicate(timeout=120)
    assert stopped.returncode not in (0, None), said
    assert started() == []

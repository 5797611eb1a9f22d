"""The account of a soak finds what is not as promised; the real ones are in tests/labs."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random

import httpx
import iris_soak
import pytest
from account import Account, Records, records_of
from honest_client import HonestClient
from memory import Trend, trend
from soak import in_rounds


class Answers(BaseHTTPRequestHandler):
    """Answers with the statuses that its server has left, then with 200."""

    left: list[int]

    def do_GET(self) -> None:
        status = self.left.pop() if self.left else 200
        self.send_response(status)
        if status == 503:
            self.send_header("Retry-After", "0.1")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    Answers.left = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def client(server: ThreadingHTTPServer) -> HonestClient:
    url = f"http://127.0.0.1:{server.server_port}"
    return HonestClient(lambda http, _keys: http.get(url))


def test_every_question_is_answered_or_failed(client: HonestClient) -> None:
    Answers.left = [500]
    with client:
        client.until_answered(30)
    assert client.failed == {"500": 1}
    assert 0 < client.longest_silence() < 10
    keys = [key for _, keys in client.answered for key in keys]
    assert len(keys) == len(set(keys)) > len(client.answered)  # one question was about many rows


def test_a_caller_comes_back_when_it_is_told_to(client: HonestClient) -> None:
    Answers.left = [503, 503]
    with httpx.Client() as http:
        client.ask(http, 1)
    assert client.told_to_wait == 2
    assert len(client.answered) == 1
    assert client.slowest_seconds > 0.2
    assert client.failed == {}


def test_a_server_that_is_away_is_a_failure(server: ThreadingHTTPServer) -> None:
    client = HonestClient(lambda http, _keys: http.get("http://127.0.0.1:1"))
    with httpx.Client() as http:
        client.ask(http, 1)
    assert client.failed == {"ConnectError": 1}


def test_lost_and_doubled_records_are_found(client: HonestClient) -> None:
    client.answered = [(10.0, range(3)), (20.0, range(3, 4)), (30.0, range(4, 5))]
    # 2 is lost, 3 was in the memory of an api that was killed, 99 was never answered, 4 is there twice.
    stored = Counter([0, 1, 99, 4, 4])
    assert records_of(client, stored, kills=[20.5]) == Records(5, 4, 1, 1, 1)


RECORDS = Records(5, 5, 0, 0, 0)


def test_account_says_what_is_not_as_promised(client: HonestClient) -> None:
    fine = {"api": Trend(540, 100, 40), "too short to say": Trend(100, 100, 1000)}
    assert Account(client, RECORDS, fine).problems() == []
    client.failed["502"] = 2
    account = Account(client, Records(5, 4, 1, 0, 1), {"api": Trend(540, 100, 400)}, ["mended: no"])
    assert account.problems() == [
        "mended: no",
        "honest questions failed: {'502': 2}",
        "1 records are lost",
        "1 records are there more than once",
        "the memory of api rose by 60 MB",
    ]


def test_memory_is_a_line_through_the_samples_after_the_warm_up() -> None:
    warming_up = [(float(second), 50.0 + second) for second in range(0, 60, 3)]
    flat = [(float(second), 110.0) for second in range(60, 240, 3)]
    rising = [(float(second), 110.0 + second / 60) for second in range(60, 240, 3)]
    for samples, mb_per_hour in ((flat, 0), (rising, 60)):
        line = trend(warming_up + samples)
        assert line and line.mb_per_hour == pytest.approx(mb_per_hour)
    assert trend(warming_up) is None


def test_faults_follow_from_the_seed_and_all_come_before_one_comes_again() -> None:
    faults = iris_soak.FAULTS
    orders = []
    for seed in (7, 7, 8):
        order = in_rounds(faults, Random(seed))
        orders.append([next(order) for _ in range(2 * len(faults))])
    assert orders[0] == orders[1] != orders[2]
    assert set(orders[0][: len(faults)]) == set(orders[0][len(faults) :]) == set(faults)


def test_a_flower_keeps_its_key() -> None:
    """As Postgres reads it back: the sum of each length times its place."""
    for key in (0, 1, 1023, 1024, 123_456_789):
        lengths = iris_soak.flower(key).values()
        assert all(0 <= length < 30 for length in lengths)
        places = (iris_soak.STEPS**n for n in range(4))
        parts = zip(lengths, places, strict=True)
        assert sum(length * iris_soak.PER_CM * place for length, place in parts) == key

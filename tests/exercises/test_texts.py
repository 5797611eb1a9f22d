"""What holds of every exercise's texts: short, in order, with three hints that do not tell, and links that lead somewhere."""

from __future__ import annotations

import re

import pytest
from learn.exercise import EXERCISES, ROOT, load, read_order

IDS = sorted(path.parent.name for path in EXERCISES.glob("*/check.py"))


def anchors_of(page: str) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    text = re.sub(r"```.*?```", "", (ROOT / page).read_text(), flags=re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def reads_of(id: str) -> set[str]:
    """The pages, each with an anchor, that a check names."""
    return set(re.findall(r"[\w./-]+\.md#[\w-]*", (EXERCISES / id / "check.py").read_text()))


def lines_of(id: str, *variants: str) -> set[str]:
    """The lines of some files that say something."""
    files = [path for variant in variants for path in (EXERCISES / id / variant).rglob("*") if path.is_file()]  # fmt: skip
    # Of a change.diff what it adds.
    lines = [
        line.removeprefix("+").strip() for path in files for line in path.read_text().splitlines()
    ]
    return {line for line in lines if len(line) > 12 and not line.startswith("#")}


def test_the_order_has_every_exercise_once() -> None:
    assert sorted(read_order()) == IDS
    assert len(IDS) == 35


def test_the_course_places_every_exercise() -> None:
    course = (ROOT / "docs" / "course.md").read_text()
    assert [id for id in IDS if f"`{id}`" not in course] == []


@pytest.mark.parametrize("id", IDS)
def test_the_task_fits_a_screen_and_has_the_title_of_the_check(id: str) -> None:
    lines = load(id).readme.splitlines()
    assert lines[0] == f"# {load(id).title}"
    assert len(lines[0]) <= 2 + 49
    assert len(lines) <= 40
    assert [line for line in lines if len(line) > 80] == []


@pytest.mark.parametrize("id", IDS)
def test_a_check_is_short(id: str) -> None:
    assert len((EXERCISES / id / "check.py").read_text().splitlines()) <= 110


def test_what_stands_behind_the_exercises_is_small() -> None:
    files = [EXERCISES / "cli.py", *(EXERCISES / "learn").glob("*.py")]
    lines = [line for path in files for line in path.read_text().splitlines() if line.strip()]
    assert len(lines) <= 700


@pytest.mark.parametrize("id", IDS)
def test_there_are_three_hints_and_neither_they_nor_the_task_tell_the_solution(id: str) -> None:
    exercise = load(id)
    assert len(exercise.hints) == 3
    solution = lines_of(id, *exercise.variants("solution")) - lines_of(id, "start")
    texts = "\n".join([exercise.readme, *exercise.hints])
    assert [line for line in solution if line in texts] == []


@pytest.mark.parametrize("id", IDS)
def test_each_has_a_solution_and_two_near_misses_that_are_told_apart(id: str) -> None:
    exercise = load(id)
    assert exercise.variants("solution")
    wrong = exercise.variants("wrong")
    assert len(wrong) >= 2
    assert set(exercise.must_say) == {"start", *wrong}
    assert len({exercise.must_say[name] for name in wrong}) >= 2


@pytest.mark.parametrize("id", IDS)
def test_what_a_refusal_tells_to_read_is_there(id: str) -> None:
    assert reads_of(id)
    for read in reads_of(id):
        page, _, anchor = read.partition("#")
        assert anchor in anchors_of(page), read

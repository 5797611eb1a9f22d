"""Builds after edits of a program that says when its package was installed."""

import random

from learn.bench import Bench

TITLE = "An edit of the code installs no packages"
MINUTES = 10
WHEELS = ("iris_tools-1.0.0", "iris_report-1.0.0")
SLOW = "It builds three times, and two of those install packages: ten seconds or so."
HINTS = (
    "A step is run again when a file that it depends on has changed, and so are all steps after it. On what does the installation depend?",
    "Two COPY instead of one: what pip needs before the RUN, the rest after it.",
    "pip needs requirements.txt and the folder wheels. A folder is copied as COPY name name.",
)
MUST_SAY = {
    "start": "was installed again",
    "wrong-by-hand": "No module named 'iris_report'",
    "wrong-no-code": "can't open file '/app/train.py'",
}


def edit_and_run(bench: Bench, code: str) -> tuple[list[str], str]:
    """Edit the program, build, run: the words that were printed, and what to show of it."""
    with (bench.folder / "train.py").open("a", encoding="utf-8") as file:
        file.write(code)
    image = bench.new_name()
    built = bench.try_build(image)
    if built.code:
        return [], built.seen
    done = bench.run(image)
    return done.out.split(), done.seen.splitlines()[-1]


def check(bench: Bench) -> None:
    # The program's last words from now on: the edit's number, and when its package was installed.
    report = "\nimport os, iris_tools; print({}, os.stat(iris_tools.__file__).st_mtime_ns)\n"
    edits = [random.randrange(10**9) for _ in range(2)]
    words, seen = edit_and_run(bench, report.format(edits[0]))
    bench.expect(
        str(edits[0]) in words, "The image builds, and its program is the one in the folder",
        did="docker build ., docker run --rm IMAGE", seen=seen, expected="the accuracy, exit code 0",
        why="the image holds what COPY has put there", read="docs/concepts.md#dockerfile-and-layer",
    )  # fmt: skip
    installed = words[-1]
    words, seen = edit_and_run(bench, report.format(edits[1]))
    bench.expect(
        words[-2:] == [str(edits[1]), installed], "After an edit of train.py its packages are those of the build before",
        did="edit train.py, build, run", seen="iris_tools was installed again", expected="iris_tools was left as it is",
        why="a changed file makes Docker do again the step that copies it, and every step after that one", read="docs/troubleshooting.md#every-build-takes-minutes",
    )  # fmt: skip
    with (bench.folder / "requirements.txt").open("a", encoding="utf-8") as requirements:
        requirements.write("\niris-report==1.0.0\n")
    words, seen = edit_and_run(bench, "\nimport iris_report; print(iris_report.table(['rose']))")
    bench.expect(
        words[-2:] == ["rose", "1"], "After an edit of requirements.txt the new package is there",
        did="add iris-report==1.0.0 to requirements.txt, build, run", seen=seen, expected="train.py can import iris_report",
        why="Docker sees an edit of a list only where the installation is given that list",
        read="docs/from-tutorial.md#step-1-the-tutorials-six-lines",
    )  # fmt: skip

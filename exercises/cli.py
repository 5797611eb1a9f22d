"""The exercises' one door: python3 exercises/cli.py COMMAND, or make learn, make check, make hint, ...

Needs Python 3.9 or newer and Docker, nothing else.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from learn import report
from learn.bench import CannotCheck
from learn.checking import changes_of, check
from learn.exercise import ROOT, Exercise, load, read_order
from learn.progress import WORK, free_name, read_progress
from learn.screen import BOLD, GREEN, paint, print_passed, print_refusal, print_title, say

RIGHT, WRONG, CANNOT = 0, 1, 2


def shown(path: Path) -> str:
    """A path as one types it in the repository's folder."""
    return path.relative_to(ROOT).as_posix() if ROOT in path.parents else str(path)


def folder_of(exercise: Exercise) -> Path:
    """The learner's folder; written the first time, and never again."""
    folder = WORK / exercise.id
    if not folder.exists():
        exercise.lay_out(folder)
    return folder


def learn(exercise: Exercise, options: argparse.Namespace) -> int:
    """where am I, what is next"""
    print(f"{len(read_progress().passed())} of {len(read_order())} passed. Now: {exercise.id}\n")
    print_title(exercise)
    folder = folder_of(exercise)
    print(f"Your files are in {shown(folder)}/")
    print("\n" + exercise.readme.split("\n", 1)[1].strip() + "\n")
    print(f"Try the commands in that folder (cd {shown(folder)}).")
    print("make check and make hint are typed here, where the Makefile is.")
    return RIGHT


def check_one(exercise: Exercise, options: argparse.Namespace) -> int:
    """see whether it is right yet"""
    print_title(exercise)
    folder = folder_of(exercise)
    say(exercise.slow)
    record = read_progress().of(exercise.id)
    if record.passed and record.version != exercise.version():
        say(f"You passed this on {record.passed}. It has changed since; it stays passed.")
    try:
        refused = check(exercise, folder, print_passed)
    except CannotCheck as why:
        say(f"Cannot check: {why}")
        return CANNOT
    # Read anew: a check takes its time, and another one may have ended meanwhile.
    read_progress().note(exercise, refused.step if refused else "")
    if refused:
        print_refusal(refused)
        return WRONG
    print(
        paint("  Passed.", GREEN), "Next: make learn. Other ways: make solution EX=" + exercise.id
    )
    return RIGHT


def hint(exercise: Exercise, options: argparse.Namespace) -> int:
    """the next of three hints, after those that you have seen"""
    progress = read_progress()
    record = progress.of(exercise.id)
    record.hints = min(record.hints + 1, len(exercise.hints))
    progress.save()
    for number, text in enumerate(exercise.hints[: record.hints], start=1):
        say(f"{number} of {len(exercise.hints)}: {text}")
    if record.hints == len(exercise.hints):
        print(f"That was the last. The solution: SPOIL=1 make solution EX={exercise.id}")
    return RIGHT


def reset(exercise: Exercise, options: argparse.Namespace) -> int:
    """begin again; what you wrote is moved aside, never deleted"""
    folder = WORK / exercise.id
    if folder.exists():
        aside = free_name(WORK / f"{exercise.id}.old")
        folder.rename(aside)
        print(f"What you had is in {shown(aside)}/")
    folder_of(exercise)
    return RIGHT


def solution(exercise: Exercise, options: argparse.Namespace) -> int:
    """every solution, once you have passed (or with --spoil)"""
    if not (read_progress().of(exercise.id).passed or options.spoil):
        print(f"{exercise.id} is not passed yet. To see it: SPOIL=1 make solution EX={exercise.id}")
        return WRONG
    for name in exercise.variants("solution"):
        for path in sorted((exercise.folder / name).rglob("*")):
            if path.is_file():
                print(paint(f"--- {shown(path)}", BOLD), path.read_text("utf-8"), sep="\n")
    return RIGHT


def watch(exercise: Exercise, options: argparse.Namespace) -> int:
    """check at every change of your files; stays with one exercise"""
    folder = folder_of(exercise)
    seen: dict[Path, int] = {}
    while True:
        if (now := changes_of(folder)) != seen:
            seen = now
            check_one(exercise, options)
            print("Watching for a change; Ctrl-C ends.", flush=True)
        time.sleep(0.5)


def images(exercise: Exercise, options: argparse.Namespace) -> int:
    """the base images that it needs, and the lab that it has a copy of: for setup/ready.sh"""
    print(*exercise.images, exercise.lab)
    return RIGHT


def check_all(options: argparse.Namespace) -> int:
    begun = [load(id) for id in read_order() if (WORK / id).is_dir()]
    return max((check_one(exercise, options) for exercise in begun), default=RIGHT)


def print_progress(options: argparse.Namespace) -> int:
    """all exercises, a line each"""
    progress = read_progress()
    for id in read_order():
        exercise, record = load(id), progress.of(id)
        mark = "ok" if record.passed else "->" if id == progress.current() else "  "
        changed = " (changed)" if record.passed and record.version != exercise.version() else ""
        line = f"{mark} {id:<17} {exercise.minutes:>3} min {changed} {exercise.title}"
        print(line[:80])
    return RIGHT


def write_report(options: argparse.Namespace) -> int:
    """a small file for your teacher: --name"""
    if not options.name:
        print("error: whose report is it? make report NAME=Ada")
        return CANNOT
    print(f"Written: {report.write_report(read_progress(), options.name)}")
    return RIGHT


def show_class(options: argparse.Namespace) -> int:
    """a table of many reports: --dir"""
    folder = Path(options.dir)
    rows = report.read_reports(folder) if options.dir else []
    if not rows:
        print(f"error: no reports in '{options.dir}': make class DIR=folder-of-reports")
        return CANNOT
    report.print_class(rows)
    report.write_csv(rows, folder / "class.csv")
    print(f"\nFor a spreadsheet: {folder / 'class.csv'}")
    return RIGHT


OF_ONE = {"learn": learn, "check": check_one, "hint": hint, "reset": reset, "solution": solution,
          "watch": watch, "images": images}  # fmt: skip
OF_ALL = {"progress": print_progress, "report": write_report, "class": show_class}


def main() -> int:
    parser = argparse.ArgumentParser(prog="exercises/cli.py", description=__doc__)
    parser.add_argument("command", choices=[*OF_ONE, *OF_ALL])
    parser.add_argument("--ex", default="", help="the exercise's id; without it the current one")
    parser.add_argument("--all", action="store_true", help="check: all that were begun")
    parser.add_argument("--spoil", action="store_true", help="solution: before it is passed")
    parser.add_argument("--name", default="", help="report: whose it is")
    parser.add_argument("--dir", default="", help="class: the folder of reports")
    options = parser.parse_args()
    if options.command in OF_ALL:
        return OF_ALL[options.command](options)
    if options.all:
        return check_all(options)
    id = options.ex or read_progress().current()
    if not id:
        print("All exercises are passed. Any of them again: EX=id", file=sys.stderr)
        return RIGHT
    return OF_ONE[options.command](load(id), options)


if __name__ == "__main__":
    try:
        code = main()
        sys.stdout.flush()
        sys.exit(code)
    except BrokenPipeError:
        # Nobody reads on, as in `make learn | head -1`; Python flushes once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (LookupError, OSError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)

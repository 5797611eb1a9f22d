"""A program needs to read its code, not to change it: it runs as a number that owns none of it."""

import random
import statistics

from learn.bench import Bench

TITLE = "Not as root"
MINUTES = 8
HINTS = (
    "docs/from-tutorial.md, step 6, does it: one instruction says who runs what comes after it, and the container's program.",
    "A number needs no account in the image. The files that COPY brings belong to root, unless you say otherwise: leave that so.",
    "A user without an account has the home /, where only root may write. The variable HOME says another one: which folder is open to all?",
)
MUST_SAY = {
    "start": "nothing is said of a user",
    "wrong-name": "a name says nothing",
    "wrong-no-home": "Permission denied: '/.cache'",
    "wrong-open": "open to everybody",
    "wrong-owner": "who owns a file",
}


def check(bench: Bench) -> None:
    read = "docs/from-tutorial.md#step-6-not-as-root"
    lengths = [round(random.uniform(1, 7), 1) for _ in range(9)]
    lines = ["petal_length", *map(str, lengths)]
    (bench.folder / "flowers.csv").write_text("\n".join(lines) + "\n")
    image = bench.build(why="a line of the Dockerfile failed", read="docs/commands.md#images")
    user = bench.inspect(image)["Config"].get("User", "")
    number = user.split(":")[0]
    named = "a name says nothing to a platform that lets no root in: it looks at the number before it starts anything"
    root = "whoever gets into the program may do what it may do, and root may do anything in the container"
    bench.expect(
        number.isdigit() and int(number) > 0, "A number that is not 0 says who runs it",
        did="docker inspect --format '{{.Config.User}}' IMAGE", seen=user or "nothing is said of a user: it is 0, root",
        expected="a number above 0", why=root if number in ("", "root") or number.isdigit() else named, read=read,
    )  # fmt: skip
    look = """
import os
paths = [path for folder, _, files in os.walk("/app") for path in [folder, *(os.path.join(folder, file) for file in files)]]
for path in paths:
    if os.access(path, os.W_OK) or os.stat(path).st_uid == os.getuid():
        print(f"{path} (owner {os.stat(path).st_uid}, mode {os.stat(path).st_mode & 0o777:o})")
"""
    done = bench.run(image, "-c", look, options=("--entrypoint=python",))
    closed = "who owns a file may change it, and whoever may write in a folder may replace what lies in it"
    bench.expect(
        done.code == 0 and not done.out, "This user may change nothing in /app", did="may it write? asked of each file and folder in /app",
        seen=f"user {user} may write\n{done.seen}", expected="root owns the code, and the user only reads it",
        why="chmod 777 leaves it open to everybody" if "mode 777" in done.out else closed, read=read,
    )  # fmt: skip
    done = bench.run(image)
    expected = f"mean petal length: {statistics.mean(lengths):.3f}"
    bench.expect(
        done.out.strip() == expected, "The program works as this user, with its cache", did="docker run --rm IMAGE, with other flowers",
        seen=done.seen.splitlines()[-1], expected=expected,
        why="a program needs a folder where its user may write: most caches go to the home", read=read,
    )  # fmt: skip

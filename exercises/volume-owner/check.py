"""A volume outlives its containers; a user that is only a number may write where the folder lets it."""

import random

from learn.bench import Bench

TITLE = "Results that survive, and belong to who asked"
MINUTES = 12
HINTS = (
    "Two options of docker run: one mounts a volume, one says who runs the program. docs/commands.md has both, in section Volumes.",
    "A volume that is new belongs to root, unless the image has a folder at that place: then it takes over the folder's owner and rights.",
    "So make the folder in the Dockerfile, and give it the rights of /tmp (ls -ld /tmp; in numbers 1777). Only that folder: not the code.",
)
MUST_SAY = {
    "start": "thrown away with the container",
    "wrong-chown-after": "gives a file away, and does not change who wrote it",
    "wrong-one-owner": "Permission denied",
    "wrong-root": "belongs to 0:0",
    "wrong-wide-open": "may also replace what lies in it",
}


def check(bench: Bench) -> None:
    read = "docs/commands.md#volumes"
    volume, number = bench.new_name(), random.randrange(20, 90)
    user, group = (random.randrange(5000, 60000) for _ in "12")
    owner = f"{user}:{group}"
    (bench.folder / "flowers.csv").write_text("petal_length\n" + "1.5\n" * number)
    image = bench.build(why="a line of the Dockerfile failed", read="docs/commands.md#images")
    bench.docker("volume", "create", volume)
    settings = {"IMAGE": image, "VOLUME": volume, "OWNER": owner}
    runs = [bench.command("sh", "run.sh", env=settings) for _ in "12"]
    look = "stat --format %u:%g /look/history.csv; cat /look/history.csv"
    options = (f"--volume={volume}:/look", "--user=0")
    has, *lines = bench.run("python:3.13-slim", "sh", "-c", look, options=options).seen.splitlines()
    did = f"OWNER={owner} sh run.sh, twice"
    refused = "the folder that is mounted does not let $OWNER write; it takes its rights from the image's folder"
    lost = "what is not written into the folder where the volume is mounted is thrown away with the container"
    bench.expect(
        sum(f",{number} flowers," in line for line in lines) == 2, "Two runs leave two lines in $VOLUME",
        did=did, seen=runs[0].seen.splitlines()[-1] + ("" if runs[0].code else "\nno history.csv in $VOLUME, or not two lines in it"),
        expected="history.csv with two lines in $VOLUME",
        why=refused if "Permission" in runs[0].seen else lost, read="docs/troubleshooting.md#permission-denied-on-a-mounted-folder" if runs[0].code else read,
    )  # fmt: skip
    bench.expect(
        has == owner, "history.csv belongs to $OWNER", did=did, seen=f"history.csv belongs to {has}", expected=f"it belongs to {owner}",
        why="a file belongs to the user that the program runs as; without a word, that is root", read=read,
    )  # fmt: skip
    bench.expect(
        all(line.endswith(f",user {user}") for line in lines), "The job itself ran as $OWNER",
        did=did, seen="\n".join(lines), expected=f"user {user} in both lines",
        why="chown gives a file away, and does not change who wrote it: the job ran with the rights of root", read="docs/from-tutorial.md#step-6-not-as-root",
    )  # fmt: skip
    code = "import os; print([at for at in ('/app/job.py', '/app') if os.access(at, os.W_OK)])"
    done = bench.run(image, "-c", code, options=(f"--user={owner}", "--entrypoint=python"))
    bench.expect(
        done.out.strip() == "[]", "$OWNER may not change the code", did="as $OWNER in the container: may it write /app/job.py, or in /app?",
        seen=f"it may: {done.seen}", expected="neither: what it writes goes to results/ only",
        why="who may write in a folder may also replace what lies in it, and here that is the program", read="docs/from-tutorial.md#step-6-not-as-root",
    )  # fmt: skip

"""A build after a change downloads only what is new."""

import random
import shutil
from pathlib import Path

from learn.bench import Bench

TITLE = "Download once, build often"
MINUTES = 12
HINTS = (
    "docs/from-tutorial.md, step 5, lends a folder to one step that stays on the build machine.",
    "RUN can have a --mount of type=cache. It needs to know in which folder of the image it shall appear: the one where download.py looks.",
    "RUN, then --mount=type=cache,target= with the folder, then the command, all in one line. Nothing may copy the parts out of that folder.",
)
MUST_SAY = {
    "start": "and stays in /root/.cache/parts",
    "wrong-tmpfs": "no folder keeps it",
    "wrong-kept": "/app/parts",
}


def check(bench: Bench) -> None:
    docs = "docs/from-tutorial.md#step-5-lend-what-only-the-build-needs"
    shutil.copy(Path(__file__).parent / "start" / "download.py", bench.folder)
    # Names that no build has seen: what other checks left in a cache is of no use.
    old, new = (f"part-{random.randrange(16**9):09x}" for _ in range(2))
    (bench.folder / "parts.txt").write_text(f"{old}\n")
    image = bench.build(why="download.py needs parts.txt beside it, and a folder that it may write to", read=docs)  # fmt: skip
    before = bench.run(image)
    (bench.folder / "parts.txt").write_text(f"{old}\n{new}\n")
    image = bench.build(step="It builds with one part more in parts.txt", why="the second build gets the same files, and a line more in parts.txt", read=docs)  # fmt: skip
    after = bench.run(image)
    bench.expect(
        before.out.startswith(f"{old} ") and f"\n{new} " in after.out, "model.txt has the parts of parts.txt",
        did="docker run --rm IMAGE, after each build", seen=f"{before.seen}\n{after.seen}", expected=f"{old}, then {old} and {new}, with checksums",
        why="download.py writes model.txt from what parts.txt names at that time", read=docs,
    )  # fmt: skip
    grep = f"grep -rlsE 'contents of ({old}|{new}) ' / --exclude-dir=proc --exclude-dir=sys"
    found = bench.run(image, "-c", grep, options=("--user=0", "--entrypoint=sh")).out.split()
    folders = " and ".join(sorted({path.rpartition("/")[0] for path in found}))
    bench.expect(
        after.out.startswith(before.out), "Only the new part is downloaded by the second build",
        did=f"docker build . with {old} in parts.txt, and with {new} added", seen=f"{before.out}{after.out}the old part came anew, and {f'stays in {folders}' if found else 'no folder keeps it'}",
        expected="the same checksum for the old part twice",
        why="a step that runs again begins with what the steps before it left, and not with what it wrote the last time" if found
        else "a folder that is emptied when its step ends, as a tmpfs is, has nothing for the next build", read=docs,
    )  # fmt: skip
    bench.expect(
        not found, "The image has no copy of what was downloaded",
        did="searched all folders of the image", seen=f"parts lie in {folders}", expected="parts in no folder",
        why="a cache mount is not in the image, but what a step writes outside of it is", read=docs,
    )  # fmt: skip

"""One version, and no file but the one that was chosen."""

import random
import tempfile
from pathlib import Path

from learn.bench import Bench
from learn.wheels import make_wheel

TITLE = "The same package next month, or none"
MINUTES = 12
WHEELS = ("petal_ruler-1.0.0",)
HINTS = (
    "pip takes the newest version that requirements.txt allows. docs/from-tutorial.md, step 4, shows a file that allows only one.",
    "Name exactly one version, and behind it on the same line what `pip hash` prints. As soon as one package has a hash, pip asks for it.",
    "The line has three parts: the package, == and its version, and --hash=sha256: with the 64 characters. pip does the rest.",
)
MUST_SAY = {
    "start": "petal-ruler 2.0.0",
    "wrong-any-1": "petal-ruler 1.1.0",
    "wrong-version-only": "no word about the file",
    "wrong-goes-on": "noticed it, and went on",
}
docs = "docs/from-tutorial.md#step-4-say-which-versions"
ask = "from petal_ruler import species as s; from importlib.metadata import version as v; print('petal-ruler', v('petal-ruler'), s(6))"


def put_wheel(bench: Bench, version: str, text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        module = Path(folder, f"petal_ruler-{version}", "petal_ruler", "__init__.py")
        module.parent.mkdir(parents=True)
        module.write_text(text)
        make_wheel(module.parent.parent, bench.folder / "wheels")


def check(bench: Bench) -> None:
    why = "with a hash pip takes that file and no other: one wrong character, and there is none to take"
    for newer in ((), ("1.0.1", "1.1.0", "2.0.0")):
        for version in newer:
            put_wheel(bench, version, "def species(petal_length): return 'changed'\n")
        image = bench.build(step="It still builds beside newer versions" if newer else "The image builds", why=why, read=docs)  # fmt: skip
        done = bench.run(image, "-c", ask, options=("--entrypoint", "python"))
        bench.expect(
            done.out.strip() == "petal-ruler 1.0.0 virginica", "Newer versions are not taken" if newer else "It has petal-ruler 1.0.0",
            did="put newer versions into wheels/, and built again" if newer else "asked Python in the image for petal-ruler",
            seen=done.seen.splitlines()[-1], expected="petal-ruler 1.0.0 virginica",
            why="of all versions that are allowed, pip takes the newest", read=docs,
        )  # fmt: skip
    put_wheel(bench, "1.0.0", f"def species(petal_length): return 'tampered {random.random()}'\n")
    done = bench.try_build(bench.new_name())
    noticed = "FAILED" in done.err
    bench.expect(
        done.code != 0, "Another file under the name of 1.0.0 is refused",
        did="put other bytes into the wheel of 1.0.0, and built again",
        seen="an image: the build noticed it, and went on" if noticed else "an image, and no word about the file",
        expected="docker build stops with an error",
        why="after a ; the shell goes on, whether or not the command before it failed" if noticed
        else "any file can bear a version in its name; a hash is computed from what is in the file", read=docs,
    )  # fmt: skip

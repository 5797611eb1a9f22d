"""Lab 2 with one more package, from a file that is not on any index."""

import zipfile

from learn.bench import Bench

TITLE = "A package of your own in JupyterLab"
MINUTES = 15
LAB = "ds-lab"
WHEELS = ("petal_ruler-1.0.0",)
SLOW = "Minutes, and some downloads, where this machine has not built lab 2 yet; seconds later."
HINTS = (
    "What does the build get to see of your folder? .dockerignore decides: so far wheels/ is not in it.",
    "A file of its own names the package, its version and its hash, as requirements.txt does. A second step installs what it says, after the first.",
    "The second step borrows uv as the first does, and wheels/ and your file as it borrows requirements.txt. `uv pip install` adds to /opt/venv, with --no-index and --find-links.",
)
MUST_SAY = {
    "start": "No module named 'petal_ruler'",
    "wrong-no-hash": "with that line in it",
    "wrong-sync": "No module named 'jupyterlab'",
    "wrong-tmp": "No module named 'petal_ruler'",
}
as_in_compose = ("--read-only", "--tmpfs", "/tmp:exec,mode=1777")


def check(bench: Bench) -> None:
    locks = "docs/from-tutorial.md#step-4-say-which-versions"
    image = bench.build(why="the build sees what .dockerignore lets through, and a step what is copied or mounted", read=locks)  # fmt: skip

    asked = "import petal_ruler as p; print(p.species(1), p.species(6))"
    done = bench.run(image, "python", "-c", asked, options=as_in_compose)
    bench.expect(
        done.out == "setosa virginica\n", "Python in the container has petal_ruler",
        did=f'docker run --read-only --tmpfs /tmp your-image python -c "{asked}"',
        seen=done.seen.splitlines()[-1], expected="setosa virginica",
        why="notebooks look into /opt/venv; /tmp is memory, and empty when a container starts", read="ds-lab/README.md#how-it-works",
    )  # fmt: skip

    asked = "import jupyterlab, matplotlib, pandas, seaborn, sklearn, pip; print('all there')"
    done = bench.run(image, "python", "-c", asked, options=as_in_compose)
    bench.expect(
        done.out == "all there\n", "The other packages are still there",
        did=f'docker run --read-only --tmpfs /tmp your-image python -c "{asked}"',
        seen=done.seen.splitlines()[-1], expected="all there",
        why="sync makes an environment hold what its files list, and removes all else", read=locks,
    )  # fmt: skip

    for wheel in (bench.folder / "wheels").glob("*.whl"):
        with zipfile.ZipFile(wheel, "a") as archive:
            archive.writestr("petal_ruler/added.py", "# not in the file that was locked\n")
    image = bench.new_name()
    built = bench.try_build(image)
    # Where uv has the right file in a cache, it takes that, and is as right as a build that fails.
    asked = "import petal_ruler.added"
    bench.expect(
        built.code or bench.run(image, "python", "-c", asked).code, "Another file under the same name is refused",
        did="added a line to the wheel in wheels/, and built again", seen="an image, with that line in it",
        expected="docker build stops with an error",
        why="a version is only a name; a hash is computed from every byte of a file", read=locks,
    )  # fmt: skip

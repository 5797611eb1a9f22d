"""An image without the password, the data and the history that lie beside the program."""

import random
import tarfile
from contextlib import suppress

from learn.bench import Bench

TITLE = "What stays out of an image"
MINUTES = 8
HINTS = (
    "A file called .dockerignore, beside the Dockerfile, says what a build does not see. One pattern a line.",
    "Either list what stays out, or forbid all with * and allow again with ! what the program needs.",
    "Each RUN makes a layer on top of the others. What rm takes away there is still in the layer beneath.",
)
MUST_SAY = {
    "start": "in the image: .env, .git/HEAD, data/customers.csv",
    "wrong-env-only": "in the image: .git/HEAD, data/customers.csv",
    "wrong-by-name": "in the image: .git/",
    "wrong-everything": "predict.py': [Errno 2]",
    "wrong-every-file": "No such file or directory: '/app/model.json'",
    "wrong-deleted": "in a layer: .env, .git/HEAD, data/customers.csv",
}
planted = (".env", ".git/HEAD", "data/customers.csv")
page = "docs/from-tutorial.md#step-2-leave-out-what-does-not-belong-in"


def check(bench: Bench) -> None:
    number = random.randrange(10**6)
    secret = (*planted, f".git/{number}", f"data/{number}.json")
    for name in secret:
        (bench.folder / name).parent.mkdir(exist_ok=True)
        (bench.folder / name).write_text("planted", encoding="utf-8")
    flower = f"flower-{random.randrange(10**6)}"
    (bench.folder / "model.json").write_text(f'{{"{flower}": [1, 1]}}', encoding="utf-8")
    image = bench.build(why="COPY finds only what .dockerignore lets it see", read=page)
    done = bench.run(image)
    bench.expect(
        done.out.strip() == flower, "The program runs, and knows the model of today",
        did="put another flower into model.json, build, run", seen=done.seen.splitlines()[-1], expected=flower,
        why="what .dockerignore hides is for the build as if it were not there, also where the program needs it", read=page,
    )  # fmt: skip
    walk = "import os; [print(folder + '/' + name) for folder, _, names in os.walk('.') for name in names]"
    listed = bench.run(image, "-c", walk, options=("--entrypoint=python",)).out
    seen = ", ".join(name for name in secret if f"/{name}\n" in listed)
    bench.expect(
        not seen, "The image has neither the password nor the data nor the history",
        did="plant .env, data/ and .git/, build, list the files", seen="in the image: " + seen,
        expected="none of them", why="COPY with a dot takes all that the build can see, hidden files too", read=page,
    )  # fmt: skip
    archive, listed = bench.folder / "image.tar", ""
    bench.docker("save", "--output", str(archive), image, timeout=300)
    with tarfile.open(archive) as tar:
        for part in filter(tarfile.TarInfo.isfile, tar):
            # A part that is no archive is a note about the others.
            with suppress(tarfile.ReadError), tarfile.open(fileobj=tar.extractfile(part)) as layer:
                listed += "".join(f"/{name}\n" for name in layer.getnames())
    seen = ", ".join(name for name in secret if f"/{name}\n" in listed)
    bench.expect(
        listed and not seen, "Nor is any of it in a layer beneath",
        did="docker save IMAGE, list each layer's files", seen="in a layer: " + seen, expected="none of them",
        why="a file that a later step deletes is still in the layer of the step that copied it", read="docs/concepts.md#dockerfile-and-layer",
    )  # fmt: skip

"""The build uses the token, and the image does not have it."""

import gzip
import hashlib
import secrets
import tarfile

from learn.bench import Bench

TITLE = "A token for the build, and for nobody else"
MINUTES = 12
HINTS = (
    "docs/commands.md, section Secrets and build arguments, lends a file to one step of the build.",
    "RUN can have a --mount of type=secret. For that step alone the token lies in a file under /run/secrets. fetch.py wants it in a variable, or is changed to read the file.",
    "In a shell, NAME=$(cat FILE) in front of a command gives what is in the file to this one command. ARG and ENV are needed no more. Mind what COPY takes along.",
)
MUST_SAY = {
    "start": "environment: TOKEN",
    "wrong-arg-only": "history: RUN |1 TOKEN",
    "wrong-deleted-later": "a later step deleted",
    "wrong-copy-all": "in plain sight",
    "wrong-arg-in-stage": "It builds with the secret alone",
}


def check(bench: Bench) -> None:
    docs = "docs/commands.md#secrets-and-build-arguments"
    token, other = f"tok_{secrets.token_hex(16)}", f"tok_{secrets.token_hex(16)}"
    secret = "--secret=id=token,src=token.txt"
    (bench.folder / "token.txt").write_text(f"{token}\n")
    # A secret is no part of what Docker compares: without --no-cache the model of the last token would do.
    image = bench.build("--no-cache", secret, f"--build-arg=TOKEN={token}", why="fetch.py ends with an error unless it is given the token", read=docs)  # fmt: skip
    env = bench.inspect(image)["Config"].get("Env") or []
    history = bench.docker("history", "--no-trunc", "--format", "{{.CreatedBy}}", image).out
    leaks = [f"environment: {line}" for line in env] + [f"history: {line}" for line in history.splitlines()]  # fmt: skip
    leaks = [line.split(token)[0] + "..." for line in leaks if token in line]
    bench.expect(
        not leaks, "The token is not in the environment, and not in the history",
        did="docker inspect IMAGE; docker history --no-trunc IMAGE", seen="\n".join(leaks), expected="the token nowhere",
        why="an image keeps its variables and how each layer was made, arguments included", read=docs,
    )  # fmt: skip
    grep = f"grep -rlsF {token} / --exclude-dir=proc --exclude-dir=sys"
    plain = bench.run(image, "-c", grep, options=("--user=0", "--entrypoint=sh")).out.strip()
    bench.expect(
        not plain and not in_a_layer(bench, image, token), "The token is in no layer",
        did="searched the files of IMAGE and all its layers (docker save)",
        seen=f"{plain}, in plain sight" if plain else "a file that a later step deleted", expected="the token nowhere",
        why="COPY of a whole folder takes all of it, and what RUN writes stays" if plain else "each step adds a layer, and no step changes those below it",
        read="docs/from-tutorial.md#step-2-leave-out-what-does-not-belong-in" if plain else "docs/concepts.md#dockerfile-and-layer",
    )  # fmt: skip
    (bench.folder / "token.txt").write_text(f"{other}\n")
    image = bench.build("--no-cache", secret, step="It builds with the secret alone", why="the secret has to do: a build argument is kept in the build's records, a secret is not", read=docs)  # fmt: skip
    answer, model = bench.run(image), f"model of {hashlib.sha256(other.encode()).hexdigest()[:12]}"
    bench.expect(
        answer.out.strip() == model, "It has the model of the token's owner", did="docker run --rm IMAGE",
        seen=answer.seen.splitlines()[-1], expected=model, why="the shop makes the model for the token that fetch.py is given", read=docs,
    )  # fmt: skip


def in_a_layer(bench: Bench, image: str, token: str) -> bool:
    """What `docker save` writes is a tar of layers, which some engines compress."""
    saved = bench.folder / "image.tar"
    bench.docker("save", "--output", str(saved), image, timeout=300)
    with tarfile.open(saved) as parts:
        files = [parts.extractfile(part) for part in parts]
        data = [file.read() for file in files if file]
    saved.unlink()  # the next build shall not send it
    return any(token.encode() in (gzip.decompress(part) if part[:2] == b"\x1f\x8b" else part) for part in data)  # fmt: skip

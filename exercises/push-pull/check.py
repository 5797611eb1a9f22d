"""An image in a registry: by tag, by digest, and its second version."""

import json
import re
import secrets

from learn.bench import Bench

TITLE = "A second version that uploads only what is new"
MINUTES = 12
IMAGES = ("python:3.13-slim", "registry:3")
SLOW = "It uploads an image to a registry on this machine: that can take half a minute."
HINTS = (
    "docs/commands.md, section Tags, push and pull: the name of an image says where it goes. Build it under that name, or tag it.",
    "An upload is one of layers, and an instruction of the Dockerfile makes a layer. What seldom changes needs one of its own, before what often does.",
    "docker push prints the digest, and docker image inspect has it under RepoDigests. COPY one file after the other.",
)
MUST_SAY = {
    "start": "tags of iris: none",
    "wrong-latest": "tags of iris: latest",
    "wrong-tag": "/iris:1.0.0",
    "wrong-fixed-version": "tags of iris: 1.0.0",
    "wrong-one-layer": "kB are new",
    "wrong-code-first": "kB are new",
}
read = "docs/commands.md#tags-push-and-pull"


def check(bench: Bench) -> None:
    port = bench.free_port()
    try:
        check_at(bench, port, f"localhost:{port}/iris")
    finally:
        forget_images(bench, port)


def check_at(bench: Bench, port: int, image: str) -> None:
    registry = bench.start("registry:3", options=("--publish", f"127.0.0.1:{port}:5000"))
    bench.wait(lambda: bench.get(port, "/v2/") == "{}", 60)
    # A model that nobody has uploaded yet.
    name = secrets.token_hex(4)
    model = {"name": name, "classes": ["setosa"], "weights": secrets.token_hex(1_000_000)}
    (bench.folder / "model.json").write_text(json.dumps(model))
    printed = publish(bench, port, "1.0.0")
    bench.expect(
        re.fullmatch(f"{image}@sha256:[0-9a-f]{{64}}", printed), "The last line names the image by its digest",
        did="VERSION=1.0.0 sh publish.sh | tail -n 1", seen=printed, expected=f"{image}@sha256:...",
        why="a tag can be moved to another image; a digest is computed from the image", read="docs/concepts.md#registry",
    )  # fmt: skip
    forget_images(bench, port)
    ran = bench.run(printed)
    bench.expect(
        f"{name}: " in ran.out, "Pulled by its digest, it runs",
        did=f"docker run --rm {printed}", seen=ran.seen, expected=f"{name}: a petal of 1.4 cm is a setosa",
        why="who pulls an image has what is in it, and nothing else of your folder", read=read,
    )  # fmt: skip
    with (bench.folder / "predict.py").open("a") as code:
        code.write("print('a second version')\n")
    measure = ("exec", registry, "du", "-sk", "/var/lib/registry")
    before = int(bench.docker(*measure).out.split()[0])
    publish(bench, port, "1.1.0")
    new = int(bench.docker(*measure).out.split()[0]) - before
    bench.expect(
        new < 300, "With another predict.py, model.json is not uploaded again",
        did="VERSION=1.1.0 sh publish.sh, after a change of predict.py", seen=f"{new} kB are new in the registry",
        expected="less than 300 kB",
        why="a layer is uploaded whole when a file in it is new, and so is each layer after it", read="docs/concepts.md#dockerfile-and-layer",
    )  # fmt: skip


def publish(bench: Bench, port: int, version: str) -> str:
    """Have it published, and return the last line that was printed."""
    env = {"REGISTRY": f"localhost:{port}", "VERSION": version}
    done = bench.command("sh", "publish.sh", env=env, timeout=300)
    listed = bench.get(port, "/v2/iris/tags/list").partition("tags")[2]
    tags = re.findall(r'"([\w.-]+)"(?=[,\]])', listed)
    bench.expect(
        done.code == 0 and version in tags, f"The registry has iris:{version}",
        did=f"REGISTRY=localhost:{port} VERSION={version} sh publish.sh",
        seen=(done.seen if done.code else "exit code 0") + f"\nthe registry's tags of iris: {', '.join(tags) or 'none'}",
        expected=f"exit code 0, and a tag {version}",
        why="docker push takes a name apart: registry, repository, tag", read=read,
    )  # fmt: skip
    return (done.out.strip().splitlines() or ["nothing"])[-1]


def forget_images(bench: Bench, port: int) -> None:
    """Remove what is called after the registry: the bench removes what is called after itself."""
    made = bench.docker("image", "ls", "--quiet", "--filter", f"reference=localhost:{port}/*")
    if made.out:
        bench.docker("image", "rm", "--force", *set(made.out.split()))

"""Every command that a document shows runs, in order, in a copy: of the lab alone, or of all labs.

The one who types is somebody else than root, under a random uid, and after every step the containers that
run are held against the rows of posture.py.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from claims import DEFAULT_PORTS, claim, images_of
from docker_cli import docker
from newcomer import Newcomer
from powershell import in_powershell, read_pairs
from readme import BLOCKS_NOT_RUN, BLOCKS_RUN, IN_TEST_SCALE, matches, read_steps, run_steps
from repository import LABS, ROOT, copy_of_git, ensure_image

# What the documents name beyond the labs' own base images.
IMAGES_OF_DOCS = ["registry:3"]


def follow(document: Path, newcomer: Newcomer, folder: Path, timeout: float, request) -> None:
    """Run a document's blocks in `folder`; the summary of the run tells how many that were."""
    steps = read_steps(document)
    unmarked = [step for step in steps if step.not_run is None]
    names = {name for step in steps for name in re.findall(r"--name (demo-\S+)", step.commands)}
    # What a run that was killed has left would be in the way of this one.
    networks = {
        name for step in steps for name in re.findall(r"network create (demo-\S+)", step.commands)
    }
    docker("rm", "--force", "--volumes", *names, check=False)
    docker("network", "rm", *networks, check=False)
    try:
        newcomer.follow(unmarked, folder, timeout)
    finally:
        docker("rm", "--force", "--volumes", *names, check=False)
    request.node.user_properties += [
        (BLOCKS_RUN, len(unmarked)),
        (BLOCKS_NOT_RUN, len(steps) - len(unmarked)),
    ]


def test_readme_commands_run_and_print_what_is_shown(
    lab: str, newcomer: Newcomer, request: pytest.FixtureRequest
) -> None:
    folder = copy_of_git(lab, newcomer.folder)
    assert read_steps(folder / "README.md"), f"{lab}/README.md shows no command"
    # Alone: a README may have its reader change what goes into the image.
    with claim(DEFAULT_PORTS, *images_of(lab)):
        # The commands of a README in a subfolder are for the lab's folder too.
        for readme in [folder / "README.md", *sorted(folder.glob("*/README.md"))]:
            follow(readme, newcomer, folder, 800, request)
    assert newcomer.left("container") == []
    assert newcomer.left("network") == []
    assert [path for path in folder.rglob("*") if not newcomer.owns(path)] == []


OFFLINE = ROOT / "setup" / "offline" / "README.md"
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "exercises" / "README.md",
    OFFLINE,
    *sorted((ROOT / "docs").glob("*.md")),
]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_docs_commands_run_and_print_what_is_shown(
    document: Path, newcomer: Newcomer, request: pytest.FixtureRequest
) -> None:
    for part in ("Makefile", "setup", "exercises", *LABS):
        copy_of_git(part, newcomer.folder)
    for image in IMAGES_OF_DOCS:
        ensure_image(image)
    with claim(DEFAULT_PORTS), claim(*images_of(*LABS), shared=True):
        follow(document, newcomer, newcomer.folder, 600, request)


IN_SUBFOLDERS = [path for lab in LABS for path in sorted((ROOT / lab).glob("*/README.md"))]
EVERY_DOCUMENT = [ROOT / "README.md", OFFLINE, *sorted(ROOT.glob("*/*.md")), *IN_SUBFOLDERS]


@pytest.mark.parametrize("document", EVERY_DOCUMENT, ids=lambda path: str(path.relative_to(ROOT)))
def test_powershell_blocks_are_the_bash_blocks_above_them(document: Path) -> None:
    for pair in read_pairs(document):
        assert pair.powershell == in_powershell(pair.bash), f"{document}, line {pair.line}"


def test_quick_start_is_also_shown_in_powershell(lab: str) -> None:
    assert read_pairs(ROOT / lab / "README.md")


@pytest.mark.parametrize(
    ("bash", "powershell"),
    [
        ("docker run -v $(pwd)/a:/a -v $PWD/b:/b x\n", "docker run -v ${PWD}/a:/a -v ${PWD}/b:/b x\n"),
        ("EPOCHS=5 docker compose up\n", '$env:EPOCHS = "5"; docker compose up\n'),
        ("docker run \\\n  x\n", "docker run `\n  x\n"),
        ("echo a\nexport HOST_UID=1 HOST_GID=2\n", "echo a\n"),
        ("curl -s http://x:${PORT:-80}/ -d '{}'\n", "Invoke-RestMethod http://x:80/ -Method Post -Body '{}'\n"),
    ],
)  # fmt: skip
def test_bash_commands_have_their_form_in_powershell(bash: str, powershell: str) -> None:
    assert in_powershell(bash) == powershell


def test_blocks_that_do_not_run_are_few() -> None:
    steps = [step for path in EVERY_DOCUMENT for step in read_steps(path)]
    marked = [step for step in steps if step.not_run and step.not_run != IN_TEST_SCALE]
    assert len(marked) <= 0.05 * len(steps), [step.not_run for step in marked]


@pytest.mark.parametrize(
    ("expected", "printed", "same"),
    [
        ("a\n", "a\n", True),
        ("a\n", "b\n", False),
        ("a\n...\nz\n", "a\nb\nc\nz\n", True),
        ("a\n...\nz\n", "a\nz\n", True),
        ("a\n...\nz\n", "a\nb\n", False),
        ("took ... s\n", "took 3.2 s\n", True),
        ("took ... s\n", "took 3.2 m\n", False),
        ("a\n", "a\nb\n", False),
    ],
)
def test_dots_stand_for_anything(expected: str, printed: str, same: bool) -> None:
    assert matches(expected, printed) is same


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_a_wrong_output_or_a_failing_command_is_found(tmp_path: Path) -> None:
    wrong = write(tmp_path / "wrong.md", "```bash\necho a\n```\n\n```text\nb\n```\n")
    with pytest.raises(AssertionError, match="expected:\nb"):
        run_steps(read_steps(wrong), tmp_path, dict(os.environ), timeout=10)
    failing = write(tmp_path / "failing.md", "```bash\nx=1\n```\n\n```bash\nfalse\n```\n")
    with pytest.raises(AssertionError, match="line 5"):
        run_steps(read_steps(failing), tmp_path, dict(os.environ), timeout=10)
    endless = write(tmp_path / "endless.md", "```bash\nwhile :; do :; done\n```\n")
    with pytest.raises(AssertionError, match="not done within"):
        run_steps(read_steps(endless), tmp_path, dict(os.environ), timeout=1)


def test_a_diff_block_is_made_in_its_file_and_has_to_fit(tmp_path: Path) -> None:
    (tmp_path / "f.txt").write_text("a\nb\nc\n")
    change = '```diff title="f.txt"\n-a\n+x\n b\n```\n'
    page = write(
        tmp_path / "page.md", change + "\n```bash\ncat f.txt\n```\n\n```text\nx\nb\nc\n```\n"
    )
    run_steps(read_steps(page), tmp_path, dict(os.environ), timeout=10)
    with pytest.raises(AssertionError, match="does not apply"):
        run_steps(read_steps(page), tmp_path, dict(os.environ), timeout=10)


def test_a_marked_block_is_left_out_with_its_reason(tmp_path: Path) -> None:
    document = write(tmp_path / "marked.md", "<!-- not run: needs a GPU -->\n```bash\nx\n```\n")
    (step,) = read_steps(document)
    assert step.not_run == "needs a GPU"

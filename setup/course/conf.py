"""Sphinx's settings for the site of the course. The pages are the Markdown files of the repository, as they stand."""

import re
import shutil
from pathlib import Path

from sphinx.application import Sphinx

# The order of the course: a heading of the sidebar, and its pages.
NAVIGATION = {
    "The course": ["docs/install", "docs/concepts", "docs/from-tutorial", "docs/course"],
    "The exercises": ["Graded exercises <exercises/README>"],
    "The labs": [
        "1 Batch job <batch-job/README>",
        "1 on a cluster <batch-job/cluster/README>",
        "2 JupyterLab <ds-lab/README>",
        "3 Model API <ml-prod-demo/README>",
        "3 in production <ml-prod-demo/production/README>",
        "4 GPU training <gpu-train/README>",
        "5 MLflow and Flask <mlflow-flask/README>",
        "5 in production <mlflow-flask/production/README>",
    ],
    "To look up": [
        "docs/commands",
        "docs/troubleshooting",
        "docs/classroom",
        "docs/performance",
        "docs/scale",
        "docs/tutorials",
        "docs/security",
        "Where no registry answers <setup/offline/README>",
        "CONTRIBUTING",
    ],
}

project = "Docker labs for ML"
extensions = ["myst_parser", "sphinx_copybutton", "sphinxcontrib.mermaid"]
root_doc = "README"
include_patterns = ["README.md", "CONTRIBUTING.md", "docs/*.md", "*/README.md", "*/*/README.md"]
exclude_patterns = [".*", "tests", "work"]
# What a program printed is shown with dots in it, so it is not always JSON or Python.
suppress_warnings = ["misc.highlighting_failure"]

# As GitHub reads Markdown: its anchors, and addresses that are links. But README.md is a file, not a host in Moldova.
myst_heading_anchors = 4
myst_enable_extensions = ["linkify"]
myst_linkify_fuzzy_links = False
myst_fence_as_directive = ["mermaid"]
mermaid_use_local = "mermaid/mermaid.esm.min.mjs"
mermaid_fullscreen = False
mermaid_height = "auto"
# A diagram has its own size, and is not blown up to the width of the page; see course.css.
mermaid_init_config = {"startOnLoad": False, "flowchart": {"useMaxWidth": False}}

html_theme = "furo"
html_title = project
html_static_path = ["static"]
html_favicon = "static/favicon.svg"
html_css_files = ["course.css"]
html_copy_source = False
smartquotes = False
html_show_copyright = False
html_show_sphinx = False
copybutton_selector = (
    "div.highlight-bash pre, div.highlight-powershell pre, div.highlight-dockerfile pre"
)


def prepare(app: Sphinx, docname: str, source: list[str]) -> None:
    """Give the front page its navigation, and lead a link to a folder to the README in it, as GitHub does."""
    source[0] = re.sub(r"\]\(([\w./-]+/)\)", r"](\1README.md)", source[0])
    if docname == root_doc:
        for caption, pages in NAVIGATION.items():
            source[0] += navigation(f":caption: {caption}", *pages)
    if docname == "exercises/README":
        order = Path(app.srcdir, "exercises", "order.txt").read_text().splitlines()
        ids = [line for line in order if line and not line.startswith("#")]
        source[0] += navigation(*[f"{id}/README" for id in ids])


def navigation(*lines: str) -> str:
    return "\n".join(["", "```{toctree}", ":hidden:", *lines, "```", ""])


def copy_front_page(app: Sphinx, error: Exception | None) -> None:
    """A site is opened at its index.html."""
    if not error:
        shutil.copy(Path(app.outdir, "README.html"), Path(app.outdir, "index.html"))


def setup(app: Sphinx) -> None:
    app.connect("source-read", prepare)
    app.connect("build-finished", copy_front_page)

"""`make course`: the pages as a site, in a browser. Nothing is asked of elsewhere, and every link leads somewhere."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urldefrag, urljoin

import pytest
import yaml
from docker_cli import docker, free_port
from newcomer import Newcomer, a_newcomer
from playwright.sync_api import Page, Request, expect
from posture import violations_of_project
from repository import ROOT, copy_of_git

pytest_plugins = ["browser"]


@dataclass(frozen=True)
class Site:
    """The site that somebody started with `make course` in their own clone."""

    url: str
    newcomer: Newcomer

    def logs(self) -> str:
        return docker("compose", "-p", self.newcomer.project, "logs").stdout


def run_as(newcomer: Newcomer, *command: str, **env: str) -> str:
    done = subprocess.run(
        command, cwd=newcomer.folder, env={**newcomer.env, **env}, capture_output=True, text=True,
        timeout=600, check=False, **newcomer.identity,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def site(engine: None) -> Iterator[Site]:
    with a_newcomer() as newcomer:
        copy_of_git(".", newcomer.folder)
        newcomer.take(newcomer.folder)
        printed = run_as(newcomer, "make", "course", PORT=str(free_port()))
        (url,) = re.findall(r"^site: (http://127\.0\.0\.1:\d+)$", printed, re.MULTILINE)
        yield Site(url, newcomer)
        run_as(newcomer, "make", "course-down")
        assert newcomer.left("container") == []


@dataclass
class Visit:
    """A browser on the site, and what went wrong in it."""

    site: Site
    page: Page
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("pageerror", lambda error: self.problems.append(f"{self.page.url}: {error}"))
        self.page.on("console", self.listen)
        self.page.on("request", self.note)

    def listen(self, message) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(f"{self.page.url}: {message.text}")

    def note(self, request: Request) -> None:
        if not request.url.startswith((self.site.url, "data:", "blob:")):
            self.problems.append(f"{self.page.url} asks for {request.url}")

    def open(self, path: str) -> None:
        self.page.goto(urljoin(self.site.url, path))


@pytest.fixture
def visit(site: Site, page: Page) -> Visit:
    return Visit(site, page)


def paths_in_sidebar(visit: Visit) -> list[str]:
    visit.open("/index.html")
    hrefs = visit.page.locator(".sidebar-tree a").evaluate_all("links => links.map(a => a.href)")
    return [urldefrag(href).url.removeprefix(visit.site.url) for href in hrefs]


def test_the_site_is_made_without_a_warning_in_a_container_that_keeps_every_row(site: Site) -> None:
    """Sphinx warns of a dead link, of a heading that is not there, and of a page that is in no navigation."""
    assert "WARNING" not in site.logs()
    assert violations_of_project(site.newcomer.project) == []


def test_every_page_opens_on_a_phone_draws_its_diagrams_and_its_links_lead_somewhere(
    visit: Visit,
) -> None:
    visit.page.set_viewport_size({"width": 390, "height": 844})
    pages = paths_in_sidebar(visit)
    assert "/batch-job/README.html" in pages
    anchors: dict[str, set[str]] = {}
    links: set[tuple[str, str]] = set()
    for path in ["/index.html", "/README.html", *pages]:
        visit.open(path)
        source = ROOT / path[1:].replace("index.html", "README.html").replace(".html", ".md")
        diagrams = source.read_text().count("```mermaid")
        expect(visit.page.locator(".mermaid > svg")).to_have_count(diagrams)
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= 390, path
        ids = visit.page.locator("[id]").evaluate_all("all => all.map(it => it.id)")
        anchors[path] = set(ids)
        hrefs = visit.page.locator("a[href]").evaluate_all("links => links.map(a => a.href)")
        links |= {(path, href) for href in hrefs if href.startswith(visit.site.url)}
    assert visit.problems == []
    for path, href in links:
        target, anchor = urldefrag(href)
        to = target.removeprefix(visit.site.url)
        if to in anchors:
            assert not anchor or anchor in anchors[to], f"{path}: {href}"
        else:
            assert visit.page.request.get(target).ok, f"{path}: {href}"


def test_the_workflow_publishes_the_same_pages(visit: Visit) -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "pages.yml").read_text())
    (command,) = [step["run"] for step in workflow["jobs"]["build"]["steps"] if "run" in step]
    newcomer = visit.site.newcomer
    out = newcomer.folder / "published"
    out.mkdir()
    newcomer.take(out)
    run_as(newcomer, "bash", "-e", "-c", command, RUNNER_TEMP=str(out))
    made = {f"/{path.relative_to(out / 'site')}" for path in out.rglob("*.html")}
    assert made >= {"/index.html", *paths_in_sidebar(visit)}


def test_search_finds_what_is_asked_for(visit: Visit) -> None:
    visit.open("/index.html")
    visit.page.locator(".sidebar-search").fill("healthcheck")
    visit.page.keyboard.press("Enter")
    found = visit.page.locator("#search-results li a[href*='ds-lab/README.html']")
    found.first.wait_for()
    assert visit.problems == []


def test_a_command_can_be_copied(visit: Visit) -> None:
    visit.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visit.open("/index.html")
    command = visit.page.locator(".highlight-bash").first
    command.hover()
    command.locator("button.copybtn").click()
    copied = visit.page.evaluate("navigator.clipboard.readText()")
    assert copied.strip() == command.locator("pre").inner_text().strip() == "make lab1"
    # What a command prints is not for copying.
    assert visit.page.locator(".highlight-text button.copybtn").count() == 0


def test_on_paper_there_is_nothing_to_click(visit: Visit) -> None:
    visit.page.emulate_media(media="print")
    visit.open("/ds-lab/README.html")
    for part in (".sidebar-drawer", ".toc-drawer", ".theme-toggle", "button.copybtn"):
        assert not visit.page.locator(part).first.is_visible(), part


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_have_the_colours_of_the_machine(visit: Visit, scheme) -> None:
    visit.page.emulate_media(color_scheme=scheme)
    visit.open("/index.html")
    paper = visit.page.evaluate("getComputedStyle(document.body).backgroundColor")
    red, *_ = map(int, re.findall(r"\d+", paper))
    assert (red < 128) is (scheme == "dark")

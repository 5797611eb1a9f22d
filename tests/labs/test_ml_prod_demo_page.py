"""Lab 3 in a browser: the page with sliders, and the API's own with forms. Nothing is asked of elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from docker_cli import wait_until
from iris_api import VIRGINICA, Api

pytest_plugins = ["browser", "iris_fixtures"]


@pytest.fixture(autouse=True)
def no_problems(api: Api, page) -> Iterator[None]:
    """When the test is over, the page had no error and asked nothing of elsewhere."""
    problems: list[str] = []
    asked: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    yield
    assert problems == []
    assert {url for url in asked if not url.startswith((api.url, "data:"))} == set()


def test_page_predicts_as_its_sliders_move(api: Api, page) -> None:
    page.goto(api.url)
    page.wait_for_function("document.querySelector('#name').textContent === 'setosa'")
    assert page.locator(".class").count() == 3
    wide = page.locator("[data-class=setosa] .fill").bounding_box()["width"]

    for name, value in VIRGINICA.items():
        page.locator(f"input[name={name}]").fill(str(value))
    page.wait_for_function("document.querySelector('#name').textContent === 'virginica'")

    bar = page.locator("[data-class=setosa] .fill")
    wait_until(lambda: bar.evaluate("bar => bar.clientWidth") < wide / 10)
    assert "version" in page.locator("#model").inner_text()


def test_docs_are_drawn_and_their_form_predicts(api: Api, page) -> None:
    page.goto(f"{api.url}/docs")
    predict = page.locator("#operations-default-predict_predict_post")
    predict.locator(".opblock-summary-control").click()
    predict.get_by_role("button", name="Try it out").click()
    predict.locator("textarea").fill(json.dumps(VIRGINICA))
    predict.get_by_role("button", name="Execute").click()
    predict.locator(".live-responses-table", has_text="virginica").wait_for()

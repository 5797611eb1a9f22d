"""Lab 3, the page with sliders, in a browser."""

from __future__ import annotations

from docker_cli import wait_until
from iris_api import VIRGINICA, Api

pytest_plugins = ["browser", "iris_fixtures"]


def test_page_predicts_as_its_sliders_move(api: Api, page) -> None:
    asked: list[str] = []
    errors: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))

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
    assert not errors
    assert {url for url in asked if not url.startswith((api.url, "data:"))} == set()

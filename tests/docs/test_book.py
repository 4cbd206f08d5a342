"""The book in a real browser: every page loads from the disk, in any width, at night, on paper, without JavaScript."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
NEEDED = ("sphinx", "furo", "myst_parser", "sphinx_click", "latex2mathml", "filelock", "playwright")

pytestmark = pytest.mark.skipif(BROWSER is None, reason="there is no Chromium: on Debian, apt-get install chromium")

WIDTHS = (1280, 390)


@pytest.fixture(scope="session")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the book: that in the variable BOOK, or one that is built now, once for all workers."""
    for name in NEEDED:
        pytest.importorskip(name, reason=f"{name} is missing: pip install -e '.[docs]'")
    if "BOOK" in os.environ:
        return Path(os.environ["BOOK"]).resolve()
    from filelock import FileLock

    shared = tmp_path_factory.getbasetemp().parent
    folder = shared / "book"
    with FileLock(shared / "book.lock"):
        if not (folder / "search.html").exists():
            command = [sys.executable, "-m", "sphinx", "-q", "-W", "-D", "digits=strokes", ROOT / "docs", folder]
            result = subprocess.run(command, capture_output=True, text=True, check=False)
            assert result.returncode == 0, result.stderr
    return folder


@pytest.fixture(scope="module")
def browser(book: Path) -> Iterator[Any]:
    """Give a browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield chromium
        chromium.close()


def pages(book: Path) -> list[Path]:
    """Return the book's pages, without the lists that Sphinx makes."""
    listed = sorted(path for path in book.rglob("*.html") if path.stem not in ("genindex", "py-modindex", "search"))
    assert len(listed) > 20
    return listed


def test_every_page_loads_from_disk_without_errors_requests_or_overflow(book: Path, browser: Any) -> None:
    faults: list[str] = []
    page = browser.new_page()
    page.on("console", lambda message: message.type == "error" and faults.append(f"{page.url}: {message.text}"))
    page.on("pageerror", lambda error: faults.append(f"{page.url}: {error}"))
    page.on("request", lambda request: request.url.startswith(("file:", "data:")) or faults.append(request.url))
    page.on("requestfailed", lambda request: faults.append(f"{page.url}: {request.url} failed"))
    for path in pages(book):
        page.goto(path.as_uri())
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            if overflow > 0:
                faults.append(f"{path.stem} is {overflow} pixels too wide at {width}")
    assert faults == []


def test_formulas_are_drawn_and_tall_ones_grow(book: Path, browser: Any) -> None:
    page = browser.new_page()
    for name in ("linear", "layer_norm"):
        page.goto((book / "made" / f"{name}.html").as_uri())
        heights = page.eval_on_selector_all("math", "all => all.map(math => math.getBoundingClientRect().height)")
        assert len(heights) > 20
        assert min(heights) > 8
        assert max(heights) > 60
    # The equals signs of a chain stand below each other.
    left = page.eval_on_selector_all(
        ".formula math > mrow > mtable > mtr > mtd:nth-child(2) > mo:first-of-type",
        "all => all.map(sign => [sign.closest('math'), sign].map(it => it.getBoundingClientRect()))"
        "          .map(([math, sign]) => [math.top, sign.left])",
    )
    by_formula: dict[float, set[float]] = {}
    for top, x in left:
        by_formula.setdefault(top, set()).add(round(x))
    assert len(left) > len(by_formula) > 5
    assert all(len(places) == 1 for places in by_formula.values())


def test_pages_are_dark_at_night_and_have_only_the_text_on_paper(book: Path, browser: Any) -> None:
    page = browser.new_page(color_scheme="dark")
    page.goto((book / "made" / "linear.html").as_uri())
    brightness = "sum = color => color.match(/[0-9.]+/g).slice(0, 3).map(Number).reduce((a, b) => a + b)"
    background = "sum(getComputedStyle(document.body).backgroundColor)"
    text = "sum(getComputedStyle(document.querySelector('article p')).color)"
    assert page.evaluate(f"{brightness}; {background} < 150 && {text} > 450")
    page.emulate_media(media="print", color_scheme="light")
    assert page.evaluate(f"{brightness}; {background} > 700")
    assert not page.is_visible(".sidebar-drawer")
    assert not page.is_visible(".related-pages")
    assert page.is_visible("article h1")


def test_the_search_finds_softmax(book: Path, browser: Any) -> None:
    page = browser.new_page()
    page.goto(f"{(book / 'search.html').as_uri()}?q=softmax")
    page.wait_for_selector("ul.search li a")
    assert "Softmax cross-entropy" in page.inner_text("ul.search")


def test_everything_but_the_search_works_without_javascript(book: Path, browser: Any) -> None:
    page = browser.new_context(java_script_enabled=False, viewport={"width": 1280, "height": 900}).new_page()
    page.goto((book / "index.html").as_uri())
    page.click("text=Derivations >> nth=0")
    page.click("article >> text=Linear >> nth=0")
    assert page.is_visible("article h1:has-text('Linear')")
    assert page.locator("math").first.bounding_box()["height"] > 8
    assert page.is_visible(".picture svg")


def test_the_pages_have_what_they_promise(book: Path) -> None:
    for path in (book / "made").glob("*.html"):
        text = path.read_text("utf-8")
        if path.stem in ("derivations", "chapter", "benchmarks"):
            continue
        assert "equals signs of the derivation" in text, path.stem
        assert "<svg" in text, path.stem
        assert "A planted bug" in text, path.stem
        assert "Before: " in text or "After: " in text, path.stem

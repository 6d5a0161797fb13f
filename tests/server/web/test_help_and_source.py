"""Help, and the source of what runs."""

import io
import zipfile

from server.web import helping, source
from server.web.render import ROOT
from tests.federation.harness import Federation
from tests.server.web.conftest import Enter
from tests.server.web.test_every_page import check


async def test_help_answers_and_explains_every_word(fresh: Federation, enter: Enter) -> None:
    page = await (await enter(fresh, "oak")).get("/help")
    check(page)
    for part in helping.PARTS:
        assert part.title in [heading.text for heading in page.all("h2")]
        for question, _ in part.answers:
            assert question in [summary.text for summary in page.all("summary")]
    assert [term.text for term in page.all("dt")] == [word for word, _ in helping.WORDS]
    assert [word for word, _ in helping.WORDS] == sorted(word for word, _ in helping.WORDS)


async def test_everybody_gets_the_source_that_runs_and_nothing_else_of_the_folder(
    fresh: Federation, enter: Enter
) -> None:
    visitor = await enter(fresh, "oak")
    links = [link.get("href") for link in (await visitor.get("/")).all("a")]
    assert "/source.zip" in links
    async with visitor.session.get(f"{visitor.base}/source.zip") as answer:
        assert answer.headers["Content-Type"] == "application/zip"
        body = await answer.read()
    with zipfile.ZipFile(io.BytesIO(body)) as held:
        names = held.namelist()
        here = "jura/server/web/source.py"
        assert held.read(here) == (ROOT / "server" / "web" / "source.py").read_bytes()
    assert {
        "jura/LICENSE",
        "jura/deploy/Caddyfile",
        "jura/tests/peers/fedify/server.mjs",
        "jura/pyproject.toml",
        "jura/requirements.lock",
        "jura/templates/base.html",
    } <= set(names)
    assert not [
        name for name in names if "/." in name or "__pycache__" in name or "secret" in name.rsplit("/")[-1]
    ]


def test_the_same_files_give_the_same_archive() -> None:
    first = source.archive()
    source.archive.cache_clear()
    assert source.archive() == first

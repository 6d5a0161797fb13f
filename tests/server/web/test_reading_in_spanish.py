"""The language of who reads: refusals, mails and pages in it; what the instance itself publishes is in the instance's."""

import json
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from models.ledger import RecordRow, TextRow
from models.posts import Post
from models.rules.phrases import in_a_row, phrase
from models.rules.records import read_again
from server.keys import DATABASE
from server.language import said_in, speaking
from server.workers import PASSES
from tests.federation.harness import Federation
from tests.federation.meetings import Meetings
from tests.federation.stock import PASSWORD
from tests.server.web.browser import Browser, Page
from tests.server.web.conftest import Enter
from tests.server.web.test_convening import ask
from tests.server.workers.test_mail import ADDRESS, MailServer, confirmed, connect, pass_by, text_of
from tests.server.workers.test_mail import postman as postman

SPANISH = {"Accept-Language": "es-MX, en;q=0.5"}
NO_SUCH_REQUEST = "Esta dirección no acepta una petición así."


def language_of(page: Page) -> str | None:
    (html,) = page.all("html")
    return html.get("lang")


async def reads_spanish(browser: Browser) -> None:
    await browser.send(await browser.get("/me/settings"), "/me/settings", lang="es")


async def speak_spanish(browser: Browser) -> None:
    """The collective of who operates speaks Spanish from now on."""
    await browser.send(await browser.get("/settings"), "/settings", language="es")


async def notes(fed: Federation, home: str = "oak") -> list[dict[str, Any]]:
    async with fed.app_of(home)[DATABASE].READ() as session:
        return [json.loads(post.body) for post in await session.scalars(select(Post).order_by(Post.id))]


def test_sentences_in_a_row_are_each_said() -> None:
    both = in_a_row(
        [phrase("Write something."), "{as it is}", phrase("Write at most {n} characters.", n=1000)]
    )
    assert both == "Write something. {as it is} Write at most 1,000 characters."
    assert in_a_row([]) == ""
    with speaking("es"):
        assert said_in(both) == "Escribe algo. {as it is} Escribe como máximo 1.000 caracteres."


async def test_a_member_who_reads_spanish_is_refused_in_spanish(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1) as fed:
        ana = await enter(fed, "oak", "ana")
        english = await ana.send(await ana.get("/settings"), "/settings", name="")
        assert "Say what the collective is called (at most 80 characters)." in english.problems
        await reads_spanish(ana)
        wrong = await ana.send(await ana.get("/settings"), "/settings", name="")
        assert (wrong.status, language_of(wrong)) == (422, "es")
        assert "Di cómo se llama el colectivo (como máximo 80 caracteres)." in wrong.body


async def test_mails_are_in_the_language_of_the_member_else_of_the_instance(
    meetings: Meetings, enter: Enter, postman: MailServer
) -> None:
    async with meetings.voting(oak=2, elm=1) as fed:
        app = connect(fed, postman)
        ana, bo = await enter(fed, "oak", "ana"), await enter(fed, "oak", "bo")
        await confirmed(app, ana, postman, digest="daily", hour="8", weekday="0")
        await confirmed(app, bo, postman, address="bo@mail.test", digest="daily", hour="8", weekday="0")
        await reads_spanish(bo)
        await pass_by(app, days=1)
        mails = {mail["To"]: mail for mail in postman.taken}
        spanish, english = mails["bo@mail.test"], mails[ADDRESS]
        assert english["Subject"] == "What happened today (Oak Collective)"
        assert spanish["Subject"] == "Lo que pasó hoy (Oak Collective)"
        assert "Tu círculo participa en una decisión." in text_of(spanish)
        assert "Your circle takes part in a decision." in text_of(english)
        for mail, language in ((spanish, "es"), (english, "en")):
            html = mail.get_body(("html",))
            assert html is not None
            assert f'<html lang="{language}">' in html.get_content()
        postman.taken.clear()
        await speak_spanish(ana)
        again = {"address": "ana2@mail.test", "password": PASSWORD}
        await ana.send(await ana.get("/me/mail"), "/me/mail/address", **again)
        await PASSES["mail"](app)
        (mail,) = postman.taken
        assert mail["Subject"] == "Confirma tu dirección de correo para Oak Collective"
        assert "Si has sido tú, abre el enlace en el plazo de un día, con la sesión iniciada:" in text_of(
            mail
        )


async def test_what_a_spanish_collective_publishes_is_worded_in_spanish(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1) as fed:
        ana = await enter(fed, "oak", "ana")
        await ask(ana, question="Do we paint the door?", title__1="Green", about__1="Soon.")
        await fed.settle()
        before = await notes(fed)
        assert any("<strong>Proposal: Green</strong>" in one["content"] for one in before)
        await speak_spanish(ana)
        assert await notes(fed) == before
        await ask(ana, question="¿Compramos pan?", title__1="Pan negro", about__1="", lang="es")
        fed.clock.advance(timedelta(minutes=1))
        await fed.settle()
        proposal, round_ = (await notes(fed))[len(before) :][:2]
        assert proposal["content"].startswith(
            "<p><strong>Propuesta: Pan negro</strong></p><p>A la pregunta: <a"
        )
        assert proposal["contentMap"] == {"es": proposal["content"]}
        assert "Votación: <a" in round_["content"]
        assert "Decide 1 círculo de 1 colectivo, hasta el " in round_["content"]
        assert list(round_["contentMap"]) == ["es"]
        assert [one["name"] for one in round_["oneOf"]] == ["De acuerdo", "Con dudas", "En desacuerdo"]
        status, actor = await fed.get("http://oak.test/c/oak")
        assert status == 200
        assert [one["name"] for one in json.loads(actor)["attachment"]] == ["Integrantes", "Decisiones"]
        async with fed.app_of("oak")[DATABASE].READ() as session:
            for row in (await session.scalars(select(RecordRow))).all():
                assert read_again(row.document, row.digest).type == row.type


async def languages(fed: Federation) -> dict[str | None, str | None]:
    """The texts of records at Oak, and in which language they are."""
    async with fed.app_of("oak")[DATABASE].READ() as session:
        return {row.text: row.lang for row in await session.scalars(select(TextRow))}


async def test_what_somebody_writes_is_in_the_language_they_read_unless_they_say_another(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1) as fed:
        ana = await enter(fed, "oak", "ana")
        await ask(ana, question="Do we paint the door?", title__1="Green", about__1="")
        await reads_spanish(ana)
        await ask(ana, question="¿Compramos pan?", title__1="Pan negro", about__1="")
        page = await ask(ana, question="Kaufen wir Käse?", title__1="", about__1="", lang="de", gather="48h")
        path = page.path.partition("?")[0]
        await ana.send(await ana.get(f"{path}/propose"), "/propose", title="Queso", details="Suave.")
        await ana.send(await ana.get(f"{path}/withdraw"), "/withdraw", reason="No hay leche.")
        found = await languages(fed)
    assert {text: found[text] for text in ("Do we paint the door?", "Green")} == dict.fromkeys(
        ("Do we paint the door?", "Green"), "en"
    )
    spanish = ("¿Compramos pan?", "Pan negro", "Queso", "Suave.", "No hay leche.")
    assert {text: found[text] for text in spanish} == dict.fromkeys(spanish, "es")
    assert found["Kaufen wir Käse?"] == "de"


async def test_circles_are_called_so_in_the_language_of_the_instance(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=6) as fed:
        ana = await enter(fed, "oak", "ana")
        await speak_spanish(ana)
        page = await ask(ana, question="¿Compramos pan?", title__1="Pan negro", about__1="")
        assert "Círculo 1 3 personas" in page.text
        assert "Circle" not in page.text
        status, assembly = await fed.get("http://oak.test/c/assembly")
        assert (status, json.loads(assembly)["name"]) == (200, "La asamblea")
        found = await languages(fed)
        assert (found["Círculo 1"], found["Círculo 2"]) == ("es", "es")


async def test_a_request_says_in_which_language_it_is_answered(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1) as fed:
        visitor = await enter(fed, "oak")
        page = await visitor.post("/about", [], SPANISH)
        assert (page.status, language_of(page)) == (405, "es")
        assert NO_SUCH_REQUEST in page.text
        assert language_of(await visitor.get("/about", SPANISH)) == "es"
        assert language_of(await visitor.get("/about")) == "en"
        machine = await visitor.post("/about", [], {**SPANISH, "Accept": "application/json"})
        assert json.loads(machine.body)["message"] == "This address does not take such a request."


async def test_the_language_of_the_instance_is_that_of_who_names_none(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1) as fed:
        ana, visitor = await enter(fed, "oak", "ana"), await enter(fed, "oak")
        assert language_of(await visitor.get("/about")) == "en"
        await speak_spanish(ana)
        assert language_of(await visitor.get("/about")) == "es"
        assert language_of(await visitor.get("/about", {"Accept-Language": "en"})) == "en"
        assert language_of(await visitor.get("/about", {"Accept-Language": "fr"})) == "es"

"""Who may see a joint decision, and what is left where a text was removed (spec: records.md §6, §2)."""

from sqlalchemy import select

from activitypub.errors import Gone
from models.posts import Activity, Post
from server import remote
from tests.federation.harness import HOUR, Federation
from tests.federation.meetings import Meetings

SECRET = "Our landlord, Mr. Vogel, would throw us out if he knew."


async def test_what_only_participants_may_see_is_not_there_for_strangers(meetings: Meetings) -> None:
    async with meetings.founded(oak=1, elm=1, fir=1) as fed:
        await fed.oak.convene("elm", visibility="federation", challenge=0 * HOUR)
        await fed.settle()
        await fed.elm.answer()
        await fed.settle()
        await fed.reach("opens")
        await fed.oak.ballot("consent")
        await fed.elm.ballot("concern")
        await fed.finish()
        urls = await everything_published(fed, "oak")
        assert len(urls) > 8
        for url in urls:  # fir is an instance like the others, and signs; it takes no part
            assert await seen(fed, "elm", url), f"{url} is not there for a participant"
            assert not await seen(fed, "fir", url), f"{url} is there for a stranger"
            assert (await fed.get(url))[0] == 404
        page = f"http://oak.test/decisions/{fed.decision}"
        for path in ("", ".json", "/circle", "/propose"):
            status, body = await fed.get(page + path, accept="text/html")
            assert (status, "cargo bike" in body) == (404, False), path
        for place in ("", "@oak", "c/oak/outbox?page=1", "c/oak/featured"):
            status, body = await fed.get(f"http://oak.test/{place}", accept="text/html, */*")
            assert (status, "cargo bike" in body, fed.decision in body) == (200, False, False), place
        await fed.kill("fir")
        assert await fed.agree() == "final adopted"


async def test_what_is_public_is_there_for_everybody(meetings: Meetings) -> None:
    async with meetings.voting(oak=1, elm=1) as fed:
        for url in await everything_published(fed, "oak"):
            offered = url.rpartition("/")[2] == fed.decision and "/a/" in url  # the invitation is a letter
            assert (await fed.get(url))[0] == 200 or offered, url
        for place in (f"decisions/{fed.decision}", "@oak", ""):
            assert "cargo bike" in (await fed.get(f"http://oak.test/{place}", accept="text/html"))[1], place


async def test_a_removed_text_is_gone_everywhere_and_what_was_counted_stays(both: Meetings) -> None:
    async with both.voting(oak=1, elm=1, ash=1) as fed:
        await fed.oak.ballot("consent")
        await fed.elm.ballot("concern", SECRET)
        await fed.ash.ballot("consent")
        await fed.settle()
        (reason,) = [r["reason"] for r in await fed.ash.records("Ballot") if r.get("reason")]
        assert [(await one.texts())[reason] for one in fed.present] == [SECRET] * 3
        theirs = await fed.oak.sign("Redact", text=reason, code="other")
        await fed.oak.keep([theirs])
        await fed.oak.send([theirs])  # somebody else's wish, rightly signed
        await fed.settle()
        assert [(await one.texts())[reason] for one in fed.present] == [SECRET] * 3
        fed.cut("ash")
        await fed.elm.redact(reason)
        await fed.settle()
        fed.heal()
        await fed.advance_in_steps(2 * HOUR, 3)
        await fed.oak.tell_again(r for r in await fed.oak.records("Ballot"))
        await fed.replay(last=100)
        await fed.finish()
        for one in fed.present:
            assert (await one.texts())[reason] is None
            async with one.session() as session:
                stored = [
                    *await session.scalars(select(Post.body)),
                    *await session.scalars(select(Activity.body)),
                ]
            assert not [body for body in stored if b"Vogel" in body]
            for path in ("", ".json"):
                _, body = await fed.get(
                    f"http://{one.name}.test/decisions/{fed.decision}{path}", accept="text/html"
                )
                assert "Vogel" not in body
        assert await fed.circles() == dict.fromkeys(fed.names, "cast")
        assert await fed.agree() == "final adopted"


async def everything_published(fed: Federation, name: str) -> list[str]:
    """Addresses of all that an instance holds of the decision: its scope, what it published, and how."""
    scope = f"http://{name}.test/scopes/{fed.decision}"
    digits = {record.digest[0] for record in await fed[name].records()}
    async with fed[name].session() as session:
        posts = await session.scalars(select(Post.uri).where(Post.scope == fed.decision))
        activities = await session.scalars(select(Activity.uri).where(Activity.scope == fed.decision))
        return [scope, *(f"{scope}?bucket={d}" for d in sorted(digits)), *posts, *activities]


async def seen(fed: Federation, name: str, url: str) -> bool:
    """Can an instance have this document, by a request that it signs?"""
    try:
        return bool(await remote.document(fed.app_of(name), url))
    except Gone:
        return False

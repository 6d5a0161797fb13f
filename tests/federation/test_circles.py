"""What becomes of a circle's vote: late, silent, replaced, objecting, signed twice, gone (spec: records.md §4, R2 to R4)."""

import shutil

import pytest

from models.rules.records import Record
from server.actions.texts import Texts
from tests.federation.harness import DAY, HOUR, MINUTE, Federation
from tests.federation.meetings import Meetings
from tests.federation.people import REASON, RESOLVE, Circle


async def test_a_late_circle_is_shown_and_not_counted_and_a_silent_one_counts_in_the_denominator(
    meetings: Meetings,
) -> None:
    async with meetings.voting(oak=7, elm=1, ash=1) as fed:
        first, _silent = await fed.oak.circles()
        await first.ballot("consent")
        await fed.elm.ballot("concern")
        fed.cut("ash")
        late = await fed.ash.ballot("object")
        await fed.settle()
        await fed.reach("closes", 20 * MINUTE)  # receipts end ten minutes after the close
        fed.heal()
        await fed.advance_in_steps(4 * HOUR, 4)
        await fed.reach("grace_ends")
        view = await fed.view("oak")
        assert await fed.circles() == {"oak": "cast silent", "elm": "cast", "ash": "late"}
        assert [ballot.digest for ballot in view.late] == [late]
        assert (view.count.circles.present, view.count.circles.of) == (2, 4)
        assert view.numbers["status:late"] == view.numbers["status:silent"] == 1
        assert await fed.agree() == "final adopted"


async def test_a_ballot_dated_after_the_close_is_not_counted_even_where_receipts_came_in_time(
    meetings: Meetings,
) -> None:
    async with meetings.voting(oak=1, elm=1, ash=1) as fed:
        await fed.oak.ballot("consent")
        await fed.elm.ballot("consent")
        await fed.settle()
        await fed.reach("closes", MINUTE)
        circle = await fed.ash.circle()
        await fed.ash.say("Ballot", circle, **await said(fed, "stand-aside"))
        await fed.settle()
        await fed.reach("grace_ends")
        assert [entry.why_late for entry in (await fed.view("elm")).entries if entry.late] == ["after-close"]
        assert await fed.circles() == {"oak": "cast", "elm": "cast", "ash": "late"}
        assert await fed.agree() == "final adopted"


async def test_a_circle_replaces_its_consent_by_an_objection_and_everybody_can_read_why(
    meetings: Meetings,
) -> None:
    async with meetings.voting(oak=1, elm=1, ash=1) as fed:
        for one in fed.present:
            await one.ballot("consent")
        await fed.settle()
        assert (await fed.view("ash")).count.tally["consent"] == 3
        await fed.advance(HOUR)
        await fed.elm.ballot("object")
        await fed.finish()
        for one in fed.present:
            ballots = [r for r in await one.records("Ballot") if r.by == (await fed.elm.circle()).key]
            assert [(b["seq"], b["position"]) for b in ballots] == [(1, "consent"), (2, "object")]
            assert ballots[1]["prev"] == ballots[0].digest
            texts = await one.texts()
            assert texts[ballots[1]["reason"]] == REASON
            assert texts[ballots[1]["resolve"]] == RESOLVE
        assert (await fed.view("ash")).count.tally["consent"] == 2
        assert await fed.agree() == "final rejected"


async def test_a_circle_that_signed_two_ballots_with_one_number_is_set_aside_with_the_evidence(
    meetings: Meetings,
) -> None:
    async with meetings.voting(oak=1, elm=1, ash=1) as fed:
        await fed.oak.ballot("consent")
        await fed.ash.ballot("consent")
        two = await twofold(fed)
        await fed.finish()
        for one in fed.present:
            entry = (await one.view()).entry(two[0].by)
            assert entry is not None
            assert {ballot.digest for ballot in entry.evidence} == {ballot.digest for ballot in two}
        assert await fed.circles() == {"oak": "cast", "elm": "set-aside", "ash": "cast"}
        assert (await fed.view("oak")).count.circles.of == 3
        assert await fed.agree() == "final adopted"


async def test_a_circle_cures_its_two_ballots_by_a_third_that_names_both(meetings: Meetings) -> None:
    async with meetings.voting(oak=1, elm=1, ash=1) as fed:
        await fed.oak.ballot("consent")
        await fed.ash.ballot("consent")
        two = await twofold(fed)
        await fed.advance_in_steps(HOUR, 3)
        assert await fed.circles("ash") == {"oak": "cast", "elm": "set-aside", "ash": "cast"}
        await fed.elm.ballot("object")  # as on the page: its own instance knows by now what it has to name
        await fed.finish()
        ballots = [r for r in await fed.ash.records("Ballot") if r.by == two[0].by]
        assert sorted(ballot["seq"] for ballot in ballots) == [1, 1, 2]
        assert ballots[-1]["cures"] == sorted(ballot.digest for ballot in two)
        assert await fed.circles("ash") == {"oak": "cast", "elm": "cast", "ash": "cast"}
        assert await fed.agree() == "final rejected"


@pytest.mark.parametrize("looks_first", [True, False], ids=["and looks first", "and votes at once"])
async def test_an_instance_restored_from_an_old_backup_goes_on_from_what_it_had_said(
    meetings: Meetings, looks_first: bool
) -> None:
    async with meetings.voting(oak=1, elm=1, ash=1) as fed:
        await fed.oak.ballot("consent")
        await fed.ash.ballot("consent")
        await fed.settle()
        await fed.kill("elm")
        shutil.copytree(fed.folder / "elm", fed.folder / "backup")
        await fed.revive("elm")
        await fed.elm.ballot("consent")
        await fed.settle()
        await fed.kill("elm")
        shutil.rmtree(fed.folder / "elm")
        shutil.copytree(fed.folder / "backup", fed.folder / "elm")
        await fed.revive("elm")
        await fed.advance(HOUR if looks_first else MINUTE * 0)
        await fed.elm.ballot("concern")
        await fed.advance_in_steps(HOUR, 3)
        seen = "cast" if looks_first else "set-aside"
        assert await fed.circles("oak") == {"oak": "cast", "elm": seen, "ash": "cast"}
        if not looks_first:
            await fed.elm.ballot("concern")
        await fed.finish()
        assert await fed.circles("oak") == dict.fromkeys(fed.names, "cast")
        assert (await fed.view("ash")).count.tally["concern"] == 1
        assert await fed.agree() == "final adopted"


async def test_a_collective_that_leaves_keeps_its_place_in_the_denominator(meetings: Meetings) -> None:
    async with meetings.voting(oak=1, elm=1, ash=1) as fed:
        await fed.oak.ballot("consent")
        await fed.elm.ballot("consent")
        await fed.ash.leave("We have no time for this.")
        await fed.settle()
        await fed.advance(HOUR)
        await fed.ash.ballot("object")  # too late: what a collective says after it left does not count
        await fed.finish()
        assert await fed.circles("elm") == {"oak": "cast", "elm": "cast", "ash": "left"}
        assert (await fed.view("elm")).count.circles.of == 3
        assert await fed.bound() == {"oak": "bound", "elm": "bound", "ash": "left"}
        assert await fed.agree() == "final adopted"


async def test_a_ballot_dated_ahead_is_held_back_until_its_time_comes(meetings: Meetings) -> None:
    async with meetings.voting(oak=1, elm=1) as fed:
        ahead = fed.clock.now() + HOUR
        signed = await fed.elm.sign("Ballot", await fed.elm.circle(), at=ahead, **await said(fed, "consent"))
        await fed.elm.keep([signed])
        await fed.elm.send([signed])
        await fed.settle()
        assert [await one.records("Ballot") for one in fed.present] == [[], []]
        await fed.advance(HOUR)
        assert [len(await one.records("Ballot")) for one in fed.present] == [1, 1]
        await fed.oak.ballot("consent")
        await fed.finish()
        assert await fed.circles() == {"oak": "cast", "elm": "cast"}
        assert await fed.agree() == "final adopted"


async def test_a_challenge_that_does_not_verify_is_shown_and_holds_nothing(meetings: Meetings) -> None:
    async with meetings.voting(plan={"challenge": 2 * DAY}, oak=1, elm=1) as fed:
        ballot = await fed.oak.ballot("consent")
        await fed.elm.ballot("consent")
        await fed.settle()
        await fed.reach("closes")
        await fed.reach("grace_ends")
        oak = (await fed.oak.actor("instance")).ed25519
        result = next(r for r in await fed.elm.records("Result") if r.by == oak)
        await fed.elm.say(
            "Challenge", "instance", result=result.digest, claim="wrong-count", evidence=[ballot]
        )
        await fed.settle()
        assert (await fed.view("oak")).held_by == ("challenge-window",)
        await fed.reach("challenge_ends")
        assert [(one.stands, one.why) for one in (await fed.view("oak")).challenges] == [
            (False, "not-verified")
        ]
        assert await fed.agree() == "final adopted"


async def said(fed: Federation, position: str, seq: int = 1) -> dict[str, object]:
    """The fields of a ballot that no page would write."""
    terms = (await fed.present[0].view()).terms
    assert terms is not None
    return {
        "terms": terms.digest,
        "seq": seq,
        "confirmed": 1,
        "entered": "circle",
        "position": position,
        "reason": Texts().add(REASON),
    }


async def twofold(fed: Federation) -> list[Record]:
    """Elm's circle says one thing to oak and another to ash, both as its first ballot."""
    circle: Circle = await fed.elm.circle()
    consents = await fed.elm.sign("Ballot", circle, **await said(fed, "consent"))
    objects = await fed.elm.sign(
        "Ballot", circle, **await said(fed, "object") | {"resolve": Texts().add(RESOLVE)}
    )
    await fed.elm.keep([consents])
    await fed.elm.send([consents], "oak")
    await fed.elm.send([objects], "ash")
    await fed.settle()
    return [consents.record, objects.record]

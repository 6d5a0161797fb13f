"""The page of a decision, from the offer to its end: what it says, to whom, and that anybody can recount it."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from server.__main__ import main
from server.actions.texts import Texts
from tests.federation.harness import Federation
from tests.federation.meetings import Meetings
from tests.server.web.browser import Page
from tests.server.web.conftest import Enter

REASON = "We have talked about it for an evening, and this is where we stand."


async def shown(fed: Federation, enter: Enter, name: str = "oak") -> Page:
    """The page as a visitor sees it."""
    return await (await enter(fed, name)).get(f"/decisions/{fed.decision}")


async def test_while_the_voting_runs_the_page_says_how_much_was_heard_and_what_was_said(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=4, elm=7) as fed:
        await fed.oak.ballot("concern", "Somebody has to mend the brakes each month.")
        await fed.settle()
        page = await shown(fed, enter, "elm")
        assert "1 of 3 circles has cast a ballot so far" in page.text
        assert "2 of 2 instances acknowledged the terms" in page.text
        assert "Somebody has to mend the brakes each month." in page.text
        assert "Consent with a concern: 1 of 3" in page.text
        assert "Circles that took part: 1 of 3 (needed: 2)" in page.text
        assert "More than" not in page.by_id("rules").text
        assert "At least half of the circles on the roll take part: 2 of 3." in page.text
        assert "In more than half of the collectives" in page.text
        assert "It is final when 2 of 2 instances that keep the records publish the same count" in page.text


async def test_a_ballot_of_our_own_is_shown_at_once_and_says_that_a_receipt_is_awaited(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=1, elm=1) as fed:
        await fed.oak.ballot("consent")
        assert "another instance has yet to say that it holds it" in (await shown(fed, enter)).text


async def test_a_final_outcome_has_numbers_reasons_who_is_bound_and_who_agrees(
    meetings: Meetings, enter: Enter
) -> None:
    plan = {"challenge": timedelta(hours=24)}
    async with meetings.voting(oak=1, elm=7, takes={"elm": "advisory"}, plan=plan) as fed:
        await fed.oak.ballot("concern")
        await fed.elm.ballot("object")
        await fed.settle()
        await fed.reach("closes")
        await fed.reach("grace_ends")
        page = await shown(fed, enter)
        assert "Provisional: adopted" in page.text
        assert "anybody who takes part can show that the count is wrong" in page.text
        await fed.reach("challenge_ends")
        page = await shown(fed, enter)
        assert "Adopted: “One used cargo bike, shared by a weekly calendar”" in page.text
        assert "1 of 1 circle consents, and none of those that took part objects" in page.text
        assert "Bound by it" in page.text
        assert "Not bound: takes it as advice" in page.text
        assert "Object: 2 of 2" in page.text
        assert page.text.count(REASON) == 3
        assert "Take the price out of it" in page.text
        assert "2 of 2 instances agree; 2 must." in page.text


async def test_an_objection_means_not_adopted_and_the_page_says_why(meetings: Meetings, enter: Enter) -> None:
    async with meetings.voting(oak=1, elm=1) as fed:
        await fed.oak.ballot("consent")
        await fed.elm.ballot("object")
        await fed.settle()
        await fed.finish()
        page = await shown(fed, enter)
        assert "Not adopted: things stay as they are" in page.text
        assert "1 of 2 circles objects." in page.text
        assert "Nothing to carry out" in page.text


async def test_too_few_ballots_are_said_as_such_and_who_is_missing_by_name(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=1, elm=7) as fed:
        await fed.oak.ballot("consent")
        await fed.settle()
        await fed.finish()
        page = await shown(fed, enter)
        assert "Too few took part: things stay as they are" in page.text
        assert "1 of 3 circles took part; 2 were needed." in page.text
        assert "Heard, cast no ballot: Circle 1 (Elm Collective), Circle 2 (Elm Collective)" in page.text


async def test_circles_that_were_not_heard_are_never_called_agreeing(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=1, elm=1, ash=1) as fed:
        await fed.kill("ash")
        await fed.oak.ballot("consent")
        await fed.elm.ballot("consent")
        await fed.settle()
        await fed.finish()
        page = await shown(fed, enter)
        assert "Provisional: adopted" in page.text
        assert "1 circle that could not be heard could still change the outcome" in page.text
        assert "Not heard: The assembly (Ash Collective)" in page.text
        await fed.reach("wait_ends")
        page = await shown(fed, enter)
        assert "Adopted by those heard" in page.text
        assert "1 of 3 circles could not be heard and are not counted as agreeing" in page.text
        assert "To be ratified by Ash Collective (until" in page.text
        assert "3 of 3 circles" not in page.text
        assert "unanim" not in page.text.lower()


async def test_a_late_ballot_is_shown_with_its_reason_and_not_counted(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=1, elm=1, ash=1) as fed:
        await fed.oak.ballot("consent")
        await fed.elm.ballot("consent")
        await fed.settle()
        fed.cut("ash")
        await fed.ash.ballot("object", "It was said in time, and nobody could hear it.")
        await fed.reach("closes", after=timedelta(hours=1))
        fed.heal()
        await fed.settle()
        await fed.reach("grace_ends")
        page = await shown(fed, enter)
        assert "Late: shown, not counted: The assembly (Ash Collective)" in page.text
        assert "It was said in time, and nobody could hear it." in page.text
        assert "Object: 0 of 3" in page.text


async def test_two_ballots_with_one_number_are_both_shown_as_evidence(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=1, elm=1) as fed:
        circle, view = await fed.elm.circle(), await fed.elm.view()
        assert view.terms
        for position in ("yes", "object"):
            texts = Texts()
            fields: dict[str, Any] = {"reason": texts.add(f"{position}, we said on that evening")} | (
                {"resolve": texts.add("Take the price out of it, please.")} if position == "object" else {}
            )
            said: dict[str, Any] = {"position": "stand-aside" if position == "yes" else position}
            signed = await fed.elm.sign(
                "Ballot",
                circle,
                terms=view.terms.digest,
                seq=1,
                confirmed=1,
                entered="circle",
                **said,
                **fields,
            )
            await fed.elm.send([signed], "oak", texts=texts)
        await fed.settle()
        page = await shown(fed, enter)
        assert "set aside: two ballots with one number" in page.text
        assert "yes, we said on that evening" in page.text
        assert "object, we said on that evening" in page.text


async def test_a_removed_text_says_who_removed_it_and_why_everywhere(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=1, elm=1) as fed:
        await fed.oak.ballot("concern", "This names a neighbour, which it should not.")
        await fed.settle()
        (ballot,) = await fed.oak.records("Ballot")
        signed = await fed.oak.sign("Redact", text=ballot["reason"], code="personal")
        await fed.oak.keep([signed])
        await fed.oak.send([signed])
        await fed.settle()
        for name in ("oak", "elm"):
            page = await shown(fed, enter, name)
            assert "neighbour" not in page.body
            assert "Removed by Oak Collective: it held personal data." in page.text
        visitor = await enter(fed, "elm")
        bundle = json.loads((await visitor.get(f"/decisions/{fed.decision}.json")).body)
        assert "neighbour" not in json.dumps(bundle)
        assert list(bundle["redacted"]) == [ballot["reason"]]


async def test_what_members_write_is_only_ever_text(meetings: Meetings, enter: Enter) -> None:
    nasty = '<script>alert(1)</script> "quoted" & https://evil.example/ {{ 7*7 }}'
    async with meetings.founded(oak=1) as fed:
        await fed.oak.convene(
            question=nasty, proposals=(nasty,), details=f"{nasty}\n\nsecond\nthird", gather=timedelta()
        )
        await fed.settle()
        await fed.oak.ballot("concern", nasty)
        await fed.settle()
        page = await shown(fed, enter)
        assert page.heading == nasty
        assert [one.text for one in page.all("script")] == [""]  # the page's own
        assert not [a for a in page.all("a") if "evil" in (a.get("href") or "")]
        background = next(d for d in page.all("div") if d.get("class") == "said")
        assert len(background.all("p")) == 2
        assert len(background.all("br")) == 1
        assert background.get("lang") == "en"


async def test_endless_texts_of_other_software_are_cut(meetings: Meetings, enter: Enter) -> None:
    async with meetings.voting(oak=1, elm=1) as fed:
        circle, view, texts = await fed.elm.circle(), await fed.elm.view(), Texts()
        assert view.terms
        fields: dict[str, Any] = {"reason": texts.add("word " * 10_000), "position": "concern"}
        signed = await fed.elm.sign(
            "Ballot", circle, terms=view.terms.digest, seq=1, confirmed=1, entered="circle", **fields
        )
        await fed.elm.keep([signed], texts)
        page = await shown(fed, enter, "elm")
        assert 3_900 < page.text.count("word ") < 4_100
        assert "[…]" in page.text


async def test_a_lapsed_decision_says_why_there_was_no_vote(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1) as fed:
        await fed.oak.convene(proposals=(), gather=timedelta(hours=1))
        await fed.advance(timedelta(hours=2))
        page = await shown(fed, enter)
        assert "Lapsed" in page.text
        assert "there were too few proposals for this way of deciding" in page.text


async def test_the_bundle_holds_all_that_it_takes_to_recount(
    meetings: Meetings, enter: Enter, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with meetings.voting(oak=1, elm=1) as fed:
        await fed.oak.ballot("concern")
        await fed.elm.ballot("consent")
        await fed.settle()
        await fed.finish()
        visitor = await enter(fed, "elm")
        page = await shown(fed, enter, "elm")
        href = page.links()["All records, with their texts and proofs (JSON)"]
        answer = await visitor.get(href)
        file = tmp_path / "bundle.json"
        file.write_text(answer.body)
        assert answer.headers["Content-Type"].startswith("application/json")
        assert json.loads(answer.body)["standing"]["outcome"] == "adopted"
        assert main(["verify", str(file)]) == 0
        assert "nothing differs" in capsys.readouterr().out
        file.write_text(answer.body.replace('"adopted"', '"rejected"'))
        assert main(["verify", str(file)]) == 1


async def test_what_is_for_participants_is_seen_by_their_members_and_nobody_else(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=1, elm=1, plan={"visibility": "federation"}) as fed:
        path = f"/decisions/{fed.decision}"
        for name in ("oak", "elm"):
            assert (await (await enter(fed, name, "ana")).get(path)).status == 200
            assert (await (await enter(fed, name, "ana")).get(f"{path}.json")).status == 200
            visitor = await enter(fed, name)
            for end in ("", ".json", "/circle"):
                hidden, nothing = (
                    await visitor.get(path + end),
                    await visitor.get(f"/decisions/{'f' * 64}{end}"),
                )
                assert hidden.status == nothing.status == 404
                assert hidden.text == nothing.text
            machine = {"Accept": "application/json"}
            hidden = await visitor.get(f"{path}.json", machine)
            nothing = await visitor.get(f"/decisions/{'f' * 64}.json", machine)
            nowhere = await visitor.get("/decisions/nowhere", machine)
            assert hidden.body == nothing.body == nowhere.body


async def test_every_record_that_others_may_point_at_has_its_place_on_the_page(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=1, elm=1) as fed:
        await fed.oak.ballot("consent")
        await fed.settle()
        page = await shown(fed, enter)
        ids = {element.get("id") for element in page.all()}
        for type_ in ("Option", "Answer", "Ballot"):
            assert {one.digest[:12] for one in await fed.oak.records(type_)} <= ids, type_


async def test_times_in_sentences_are_local_and_tell_machines_and_utc(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=1, elm=1) as fed:
        ana = await enter(fed, "oak", "ana")
        await ana.send(await ana.get("/me/settings"), "/me/settings", zone="Asia/Kolkata")
        page = await ana.get(f"/decisions/{fed.decision}")
        (intro,) = [one for one in page.all("p") if one.get("class") == "intro"]
        assert intro.text.startswith("Voting closes in 47 hours (")
        (time,) = intro.all("time")
        assert time.text.endswith(" IST")
        assert (time.get("title") or "").endswith(" UTC")
        then = datetime.fromisoformat(time.attributes["datetime"])
        (countdown,) = [one for one in intro.all("span") if one.get("data-away")]
        assert datetime.fromisoformat(countdown.attributes["data-away"]) == then
        rules = next(one for one in page.all("section") if one.get("aria-labelledby") == "rules")
        assert len(rules.all("time")) == 2

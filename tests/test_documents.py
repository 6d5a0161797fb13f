"""Undocumented is failing: what the pages list is compared with what the code has, both ways where that makes sense.

Settings are compared in `tests.test_house`. The examples of FEDERATION.md are compared with a real run (`tests.documents`).
"""

import ast
import importlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from activitypub import codec, content, fetch, foreign, proofs, sites
from activitypub.errors import WireError
from models.rules import backoff, mandates, merkle, records
from models.rules.forms import Field, ListOf, Named, ObjectOf, Scalar
from models.rules.methods import METHODS
from models.rules.refusals import Refusal
from models.rules.shapes import SHAPES
from models.rules.times import AHEAD
from models.rules.view import STATES
from server import fetching, networks, remote, strikes
from server.__main__ import COMMANDS
from server.actions import hearing, pulse, threads
from server.errors import OF_HTTP
from server.peers import arriving, carriers, inbox, pace
from server.peers.handlers import HANDLERS
from server.web import words
from server.workers import slow
from tests.documents import kind, misfits, told

ROOT = Path(__file__).resolve().parent.parent
PAGES = ("README.md", "CONTRIBUTING.md", "FEDERATION.md")
PACKAGES = ("server", "activitypub", "models")
FOLDERS = (*PACKAGES, "tests", "templates", "docs", "bench", "deploy")

# Where a code is not the first argument of a call, as path: codes said there in another way.
SAID_OTHERWISE = {
    "server/viewer.py": set(mandates.POWERS),
    "models/rules/refusals.py": {"invalid"},
    "server/errors.py": {"http", "internal"} | {trouble.code for trouble in OF_HTTP.values()},
    "server/workers/inbox.py": {"killed"},
    "models/queues.py": {"too-old"},
}

# Links to what is still being written, by page; one that leads somewhere again fails.
TO_COME: dict[str, list[str]] = {}

NO_CODES = {"utf-8"}  # written like a code in the rules, and none


# Pages, and what stands on them


@cache
def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def pages() -> list[str]:
    """Every page of ours, by path."""
    found = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md"))
    return [*PAGES, *found]


def section(page: str, title: str) -> str:
    """What stands between a heading and the next one of the same or a higher level."""
    found = re.search(rf"^(#+) (?:\d+\. )?{re.escape(title)}$", text_of(page), re.MULTILINE)
    assert found, f"{page} has no section “{title}”"
    rest = text_of(page)[found.end() :]
    following = re.search(rf"^#{{1,{len(found[1])}}} ", rest, re.MULTILINE)
    return rest[: following.start()] if following else rest


def rows(text: str) -> list[list[str]]:
    """The rows of all tables in a text, without headings and rulers."""
    lines = text.splitlines()
    found = []
    for number, line in enumerate(lines):
        heading = number + 1 < len(lines) and lines[number + 1].startswith("|---")
        if line.startswith("| ") and not heading:
            found.append([cell.strip() for cell in line.strip().strip("|").split(" | ")])
    return found


def codes(cells: Iterable[str]) -> set[str]:
    return {code for cell in cells for code in re.findall(r"`([^`]+)`", cell)}


def first_column(text: str) -> set[str]:
    """Everything in backticks in the first cells of the tables in a text."""
    return codes(row[0] for row in rows(text))


# Records


def in_words(holds: Scalar | ListOf | ObjectOf | Named) -> str:
    """How docs/records.md writes what a field holds."""
    if isinstance(holds, Named):
        return f"object of at most {holds.most} whole numbers"
    if isinstance(holds, ObjectOf):
        return "object"
    if isinstance(holds, ListOf):
        many = f"{holds.least}" if holds.least == holds.most else f"{holds.least} to {holds.most}"
        order = {"any": "", "unique": ", each once", "rising": ", each once, sorted"}[holds.order]
        item = "objects" if isinstance(holds.item, ObjectOf) else in_words(holds.item)
        return f"list of {many}: {item}{order}"
    if holds.kind == "integer":
        return f"whole number, {holds.says.removeprefix('a whole number from ')}"
    if holds.kind == "word":
        return ", ".join(f"`{word}`" for word in holds.says.split(" or "))
    if holds.kind == "digest":
        return "digest" + "".join(f" or `{word}`" for word in holds.says.split(", or ")[1:])
    return {"flag": "true or false", "uri": "address"}.get(holds.kind, holds.kind)


def fields(table: Mapping[str, Field], before: str = "") -> Iterator[tuple[str, str]]:
    """(name as documented, what it holds) of fields and the fields in them."""
    for name, field in table.items():
        yield f"`{before}{name}`{'?' if field.optional else ''}", in_words(field.kind)
        if isinstance(field.kind, ObjectOf):
            yield from fields(field.kind.fields, f"{before}{name}.")
        if isinstance(field.kind, ListOf) and isinstance(field.kind.item, ObjectOf):
            yield from fields(field.kind.item.fields, f"{before}{name}[].")


@pytest.mark.parametrize("name", SHAPES)
def test_every_field_of_a_record_is_documented_with_what_it_holds(name: str) -> None:
    documented = {row[0]: row[1] for row in rows(section("docs/records.md", name))}
    assert documented == dict(fields(SHAPES[name].fields.fields))


@pytest.mark.parametrize("name", SHAPES)
def test_every_field_of_a_record_is_documented_with_a_meaning_and_its_signer(name: str) -> None:
    text = section("docs/records.md", name)
    assert [row[0] for row in rows(text) if len(row) < 3 or not row[2]] == []
    assert text.strip().startswith(f"Signed by: {SHAPES[name].signer}.")


def test_no_record_is_documented_that_there_is_not() -> None:
    documented = re.findall(r"^### (\w+)$", section("docs/records.md", "The types"), re.MULTILINE)
    assert documented == list(SHAPES)


def test_states_statuses_holds_and_bindings_are_documented() -> None:
    page = "docs/records.md"
    assert first_column(section(page, "States")) == set(STATES)
    assert first_column(section(page, "Ballots")) == set(words.STATUSES)
    assert first_column(section(page, "Finality")) == {
        "challenge-window",
        "agreement",
        "unheard",
        "challenge",
    }
    assert {row[0] for row in rows(section(page, "Counting"))} == set(METHODS)
    assert first_column(section(page, "Whom it binds")) == {
        "advisory", "left", "open", "nothing", "bound", "ratifying", "not-bound",
    }  # fmt: skip


def test_reasons_for_which_a_record_has_no_effect_are_documented() -> None:
    assert first_column(section("docs/records.md", "Records without effect")) == set(words.IGNORED)


def test_every_word_of_the_rules_stands_on_some_page() -> None:
    """Codes, states and statuses are written like-this in the rules, and nothing else is."""
    said = {
        node.value
        for path in (ROOT / "models" / "rules").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if re.fullmatch(r"[a-z]+(-[a-z]+)+", node.value)
    }
    told = " ".join(text_of(page) for page in ("docs/records.md", "docs/refusals.md", "docs/architecture.md"))
    assert {word for word in said - NO_CODES if f"`{word}`" not in told} == set()


def test_the_vector_of_the_page_is_what_the_code_computes() -> None:
    text = section("docs/records.md", "Form, name and proof")
    example = re.search(r"```json vector\n(.*?)```", text, re.DOTALL)
    assert example
    document = json.loads(example[1])
    written = dict(row[:2] for row in rows(text) if len(row) == 2)
    leaves = [records.hashlib.sha256(letter).hexdigest() for letter in (b"a", b"b", b"c")]
    assert proofs.who_signed(document) == document["by"]
    assert written["digest of that record"] == f"`{records.read(document).digest}`"
    salted = records.text_digest(bytes(range(16)), "Bread and roses")
    assert written["text digest of “Bread and roses” with the salt 00, 01, … 0f"] == f"`{salted}`"
    assert written["set root of nothing"] == f"`{merkle.set_root([])}`"
    assert written['set root of {SHA-256("a")}'] == f"`{merkle.set_root(leaves[:1])}`"
    three = 'set root of {SHA-256("a"), SHA-256("b"), SHA-256("c")}'
    assert written[three] == f"`{merkle.set_root(leaves)}`"


# Federation


def examples() -> list[dict[str, Any]]:
    found = re.findall(r"```json example\n(.*?)```", text_of("FEDERATION.md"), re.DOTALL)
    return [json.loads(text) for text in found]


def test_the_activities_that_are_handled_are_those_documented() -> None:
    assert first_column(section("FEDERATION.md", "What we accept")) == set(HANDLERS)


LIMITS: dict[str, tuple[int, ...]] = {
    "a document, in or fetched": (codec.MAX_BYTES // 10**6, codec.MAX_DEPTH, codec.MAX_LIST, codec.MAX_NODES),
    "a WebFinger or NodeInfo answer": (fetch.JRD_BYTES // 1000,),
    "records": (codec.MAX_RECORDS, records.LARGEST, hearing.MOST_RECORDS),
    "texts": (carriers.TEXT_LENGTH,),
    "activities at the door at once": (
        inbox.AT_ONCE,
        arriving.SHORT_AT_ONCE,
        arriving.LONG_AT_ONCE,
        arriving.SHORT // 1024,
        pace.MOST_WAITING,
    ),
    "activities on their way from one network": networks.PROVIDER,
    "how slowly a document may arrive": (
        int(arriving.BEGINNING),
        arriving.RATE // 1024,
        int(arriving.BODY_SECONDS),
    ),
    "asking because of what arrived": (fetching.AT_THE_DOOR, fetching.BEHIND_IT, fetching.OF_A_SITE),
    "activities a minute of one server": (pace.OF_A_SERVER, pace.OF_A_PARTICIPANT, pace.BY_UNKNOWN_KEYS),
    "sending to slow servers": (slow.SERVERS, int(slow.LONG), slow.AT_ONCE),
    "redirects of a GET": (fetch.HOPS,),
    "new actors of one server": (remote.NEW_ACTORS_PER_HOUR, strikes.PLACES * remote.NEW_ACTORS_PER_HOUR),
    "unusable answers of one server, or none for now": (
        remote.MISSES_PER_HOUR,
        remote.MISS_LASTS // timedelta(minutes=1),
    ),
    "records from the future": (AHEAD // timedelta(minutes=1),),
    "Offers of one server that invite us": (hearing.OFFERS_A_DAY,),
    "invited collectives looked up from an Offer": (carriers.MOST_INVITED,),
}


@pytest.mark.parametrize("what", LIMITS)
def test_limits_are_the_numbers_that_hold(what: str) -> None:
    [said] = [row[1] for row in rows(section("FEDERATION.md", "Limits")) if row[0] == what]
    numbers = [int(one.replace(",", "")) for one in re.findall(r"\b\d[\d,]*(?<!,)", said)]
    assert [one for one in LIMITS[what] if one not in numbers] == []


def test_bounds_of_what_is_said_from_outside_are_those_of_the_code() -> None:
    said = re.sub(r"\s+", " ", section("FEDERATION.md", "Replies, votes, reactions, quotes"))
    assert (
        f"at most {threads.PER_POST_AND_HOUR} replies to a post and {threads.PER_HOUR} in all in an hour, and "
        f"{threads.PER_SERVER:,} ever"
    ) in said
    assert f"of one server no more than {pulse.MOST_PER_SERVER} are counted" in said
    assert f"below one registered name {pulse.MOST_PER_SITE}." in said
    assert sites.SERVERS == 5, "the page says five times"


def test_types_and_html_of_replies_are_those_that_are_read() -> None:
    said = re.sub(r"\s+", " ", section("FEDERATION.md", "Replies, votes, reactions, quotes"))
    types = re.search(r"Types: (.*?)\.", said)
    html = re.search(r"allow-list \((.*?);", said)
    assert types
    assert html
    assert set(types[1].split(", ")) == foreign.READ
    assert set(html[1].split(", ")) == content.TAGS


def test_how_we_try_again_is_said_as_it_is_done() -> None:
    said = re.sub(r"\s+", " ", section("FEDERATION.md", "Federation feeds"))
    hours, last = timedelta(hours=1), backoff.MOST_ATTEMPTS
    assert (timedelta(minutes=1), timedelta(minutes=2)) == (backoff.FIRST, backoff.HOST_FIRST)
    assert (
        f"after 1 minute, doubled up to {backoff.LONGEST // hours} hours, with a tenth of jitter, {last} times"
        in said
    )
    assert f"`Retry-After` is respected up to {backoff.LONGEST // hours} hours" in said
    assert f"on 2 minutes, doubled up to {backoff.HOST_LONGEST // hours} hours" in said


def test_every_test_named_on_a_page_is_there() -> None:
    everything = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py"))
    named = {one for page in pages() for one in re.findall(r"`(test_\w+)`", text_of(page))}
    assert len(named) > 10
    assert {one for one in named if f"def {one}(" not in everything} == set()


async def test_examples_and_the_list_of_what_is_sent_are_those_of_a_real_run(tmp_path: Path) -> None:
    story = await told(tmp_path)
    real = [(kind(document), document) for document in [*story.posted, *story.fetched.values()]]
    wrong = []
    for example in examples():
        what = kind(example)
        twins = [misfits(example, document, str(what)) for like, document in real if _alike(what, like)]
        wrong += min(twins, key=len, default=[f"{what}: no such thing was seen"])
    assert wrong == []
    sent = {(what[0], what[1]) for what in map(kind, story.posted)}
    listed = [(codes([row[0]]), codes([row[1]])) for row in rows(section("FEDERATION.md", "What we send"))]
    assert {(kind_, *(other or {""})) for one, other in listed for kind_ in one} == sent
    shown = {what for what in map(kind, examples()) if what[2]}
    assert {what for what in map(kind, story.posted) if what[2]} <= shown


def _alike(example: tuple[str, str, tuple[str, ...]], real: tuple[str, str, tuple[str, ...]]) -> bool:
    """A page of a collection shows some of the records that the real one carries."""
    return example[:2] == real[:2] and (
        example[2] == real[2] or ("Page" in real[0] and set(example[2]) <= set(real[2]))
    )


def test_every_record_that_travels_quietly_or_readably_is_listed() -> None:
    told_types = re.findall(
        r"\w+", " ".join(row[2] for row in rows(section("FEDERATION.md", "What we send")))
    )
    assert set(SHAPES) - set(told_types) == {"Challenge"}  # which nothing signs yet


# Commands and refusals


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented(name: str) -> None:
    told = "".join(map(text_of, ("README.md", "docs/operating.md", "docs/architecture.md")))
    assert re.search(rf"\bjura {name}\b", told), f"say in docs/operating.md what `jura {name}` does"


def kinds(root: type[Exception]) -> set[str]:
    return {root.__name__} | {name for below in root.__subclasses__() for name in kinds(below)}


def said_codes(names: set[str]) -> set[str]:
    """The codes with which errors of these classes are made anywhere."""
    found = set()
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            where = path.relative_to(ROOT).as_posix()
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") in names and node.args:
                    code = node.args[0]
                    if isinstance(code, ast.Constant):
                        found.add(str(code.value))
                    else:  # Invalid({…}) has its own; others say theirs above
                        name = getattr(node.func, "id", "")
                        assert name == "Invalid" or where in SAID_OTHERWISE, f"{where}:{node.lineno}"
    return found


@pytest.mark.parametrize(
    ("title", "family"),
    [
        ("What people are told", kinds(Refusal)),
        ("What makes a document no record", {"BadRecord"}),
        ("What servers are told", kinds(WireError)),
    ],
    ids=["refusals", "records", "wire"],
)
def test_every_refusal_is_documented_with_what_to_do(title: str, family: set[str]) -> None:
    said = said_codes(family)
    assert len(said) > 10
    everywhere = first_column(text_of("docs/refusals.md"))
    assert said - everywhere == set()
    here = rows(section("docs/refusals.md", title))
    assert [row[0] for row in here if not row[-1]] == []


def test_no_refusal_is_documented_that_nothing_says() -> None:
    said = said_codes(kinds(Refusal) | kinds(WireError) | {"BadRecord"}).union(*SAID_OTHERWISE.values())
    listed = first_column(section("docs/refusals.md", "What people are told"))
    listed |= first_column(section("docs/refusals.md", "What makes a document no record"))
    listed |= first_column(section("docs/refusals.md", "What servers are told"))
    assert listed - said == set()


def test_codes_said_in_another_way_are_still_said_there_and_documented() -> None:
    for path, said in SAID_OTHERWISE.items():
        text = text_of(path)
        documented = text_of("docs/refusals.md")
        missing = {code for code in said if f"`{code}`" not in documented}
        assert missing == set(), f"{path}: {missing}"
        if path not in ("server/viewer.py", "server/errors.py"):
            assert {code for code in said if code not in text} == set()


# Names, links and numbers on all pages


@pytest.mark.parametrize("page", pages())
def test_every_file_and_function_named_on_a_page_exists(page: str) -> None:
    tokens = set(re.findall(r"`([^`\s]+)`", text_of(page)))
    gone = {token for token in tokens if _is_place(token) and not _is_there(token)}
    assert gone == set()


def _is_place(token: str) -> bool:
    plain = not re.search(r"[<>*{}…]", token)
    return plain and bool(re.match(rf"({'|'.join(FOLDERS)})/\w|({'|'.join(PACKAGES)})\.\w", token))


def _is_there(token: str) -> bool:
    if "/" in token or token.endswith(".py"):
        return (ROOT / token).exists()
    parts = token.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:length]))
        except ImportError:
            continue
        for name in parts[length:]:
            if not hasattr(found, name):
                return name in getattr(found, "__annotations__", {})
            found = getattr(found, name)
        return True
    return False


@pytest.mark.parametrize("page", pages())
def test_every_link_on_a_page_leads_somewhere(page: str) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", text_of(page), flags=re.DOTALL))
    broken = []
    for link in links:
        if "://" in link or link.startswith("mailto:"):
            continue
        name, _, anchor = link.partition("#")
        target = (ROOT / page).parent / name if name else ROOT / page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == TO_COME.get(page, [])


def test_every_picture_is_shown_somewhere_and_can_be_taken_again() -> None:
    there = {path.name for path in (ROOT / "docs/guide/pictures").iterdir()}
    shown = {
        name
        for page in pages()
        for name in re.findall(r"!\[[^]]+\]\([\w/]*pictures/([\w.]+)\)", text_of(page))
    }
    taken = set(re.findall(r'^    "(\w+)": Shot\(', text_of("tests/browser/pictures.py"), re.MULTILINE))
    assert shown == there == {f"{name}.png" for name in taken}
    assert sum(path.stat().st_size for path in (ROOT / "docs/guide/pictures").iterdir()) < 1_000_000


def anchors(path: Path) -> set[str]:
    """The addresses of the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in plain}


def test_decisions_are_numbered_without_gaps_and_say_context_choice_and_consequences() -> None:
    found = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    for number, path in enumerate(found, 1):
        text = path.read_text(encoding="utf-8")
        assert path.name.startswith(f"{number:04}-")
        assert text.startswith(f"# {number}. ")
        assert all(f"**{part}.**" in text for part in ("Context", "Choice", "Consequences")), path.name

"""What the rest of the server relies on: codes, sentences, finality; and what importing us brings along."""

import subprocess
import sys

import pytest

from activitypub import errors

FINAL = [errors.Malformed, errors.TooLarge, errors.NotAuthentic, errors.Forbidden]


@pytest.mark.parametrize("kind", FINAL)
def test_a_final_failure_says_its_code_and_a_sentence(kind: type[errors.WireError]) -> None:
    error = kind("a-code", "A sentence.")
    assert (error.code, error.sentence, error.final) == ("a-code", "A sentence.", True)
    assert str(error) == "a-code: A sentence."


def test_only_what_could_not_be_reached_is_worth_another_try() -> None:
    later = errors.Unreachable("timeout", "Too slow.", status=503, retry_after="120")
    assert (later.final, later.status, later.retry_after) == (False, 503, "120")
    gone = errors.Gone("gone", "Nothing there.", 410)
    assert (gone.final, gone.status) == (True, 410)
    assert isinstance(gone, errors.Refused)


def test_the_wire_brings_no_json_ld_cache_no_test_kit_and_no_database_along() -> None:
    script = (
        "import sys, activitypub.vocabulary, activitypub.nodeinfo, activitypub.webfinger, activitypub.deliver;"
        "bad = {'bovine.jsonld', 'bovine.parse', 'bovine.testing', 'bovine.clients.web', 'sqlalchemy', 'models',"
        " 'server', 'sqlite3'};"
        "print(sorted(bad & set(sys.modules)))"
    )
    command = [sys.executable, "-c", script]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    assert answer.stdout == "[]\n"

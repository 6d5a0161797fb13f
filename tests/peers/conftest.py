"""Towns, each for the tests of one module, with whoever lives there."""

import pytest

from tests.federation.stock import Stock

pytest.register_assert_rewrite("tests.peers.flows")


@pytest.fixture(scope="session")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Stock:
    """Keys of this run."""
    return Stock(tmp_path_factory.mktemp("stock"))

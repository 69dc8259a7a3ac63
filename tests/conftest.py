"""Fixtures of the stories; the tools they are told with are in `harness`."""

import pytest
from harness import make_database


@pytest.fixture
def database():
    """Give the test a database of its own, with every addon and demo data."""
    with make_database() as name:
        yield name

"""Fixtures of the stories; the tools they are told with are in `harness`."""

import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent)]


@pytest.fixture
def database():
    """Give the test a database of its own, with every addon and demo data."""
    from harness import make_database  # not at the top: tests inside Odoo need no harness

    with make_database() as name:
        yield name

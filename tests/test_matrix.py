"""The table of providers in README.md says what the adapters do."""

from harness import odoo_script

from devtools import matrix


def test_the_table_of_providers_is_that_of_the_adapters(database):
    """Who chooses a provider by it can rely on it; ``./dev matrix`` writes it anew."""
    text = matrix.README.read_text()
    assert matrix.START in text
    table = matrix.render(odoo_script(database, matrix.READ))
    assert matrix.replace(text, table) == text

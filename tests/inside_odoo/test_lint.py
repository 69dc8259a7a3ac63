"""Odoo's own lint (module ``test_lint``), narrowed to the addons of this repository."""

import os
from unittest.mock import patch

from odoo.modules import Manifest
from odoo.tests import tagged

from odoo.addons.test_lint.tests import (
    test_dunderinit,
    test_i18n,
    test_index,
    test_jstranslate,
    test_manifests,
    test_markers,
    test_naming,
    test_onchange_domains,
    test_orm_import,
    test_override_signatures,
    test_test_holes,
)

OUR_ADDONS = list(filter(None, os.environ.get("ODOO_SMS_ADDONS", "").split(",")))


class OurAddonsOnly:
    """Let the linters see our addons and no others."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        ours = [Manifest.for_addon(name) for name in OUR_ADDONS]
        narrowed = patch("odoo.modules.Manifest.all_addon_manifests", return_value=ours)
        narrowed.start()
        cls.addClassCleanup(narrowed.stop)


@tagged("standard", "-at_install", "post_install")
class TestManifestKeys(OurAddonsOnly, test_manifests.ManifestLinter):
    """No unknown key, none at its default."""


@tagged("standard", "-at_install", "post_install")
class TestTestHoles(OurAddonsOnly, test_test_holes.TestTestHoles):
    """Every test file is imported."""


@tagged("standard", "-at_install", "post_install")
class TestOnchangeDomains(OurAddonsOnly, test_onchange_domains.TestOnchangeDomains):
    """No onchange returns a domain."""


@tagged("standard", "-at_install", "post_install")
class TestPackages(OurAddonsOnly, test_dunderinit.TestDunderinit):
    """Every folder with Python is a package."""


@tagged("standard", "-at_install", "post_install")
class TestOrmImports(OurAddonsOnly, test_orm_import.TestDunderinit):
    """Nothing is imported from ``odoo.orm``."""


@tagged("standard", "-at_install", "post_install")
class TestNaming(OurAddonsOnly, test_naming.TestNaming):
    """No public method has a parameter ``ids`` or ``context``."""


@tagged("standard", "-at_install", "post_install")
class TestIndexes(OurAddonsOnly, test_index.TestIndex):
    """The inverse of every One2many is indexed."""


@tagged("standard", "-at_install", "post_install")
class TestSignatures(OurAddonsOnly, test_override_signatures.TestLintOverrideSignatures):
    """Overrides keep the signature of what they override."""


@tagged("standard", "-at_install", "post_install")
class TestConflictMarkers(OurAddonsOnly, test_markers.TestConflictMarkers):
    """No merge conflict was committed."""


@tagged("standard", "-at_install", "post_install")
class TestJavaScriptTerms(OurAddonsOnly, test_jstranslate.TestJsTranslations):
    """Translated JavaScript texts have no template strings."""


@tagged("standard", "-at_install", "post_install")
class TestComponentTerms(OurAddonsOnly, test_i18n.TestI18n):
    """Texts given to components can be translated."""

"""``./dev i18n``: export the terms of our addons and bring their translations up to them."""

import argparse

import polib

from .. import addons, database, odoo
from ..cache import ROOT
from ..console import say, step

LANGUAGES = {
    "nb": "nplurals=2; plural=n != 1;",
    "sv": "nplurals=2; plural=n != 1;",
    "fi": "nplurals=2; plural=n != 1;",
    "pl": "nplurals=3; plural=n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2;",
}
DATES = ("POT-Creation-Date", "PO-Revision-Date")


def main(arguments):
    """Export and merge the named addons, or all; say what is left to translate."""
    parser = argparse.ArgumentParser(prog="./dev i18n", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="addon")
    names = parser.parse_args(arguments).names or list(addons.all_addons())
    _export(names)
    untranslated = sum(_update(name, language) for name in names for language in LANGUAGES)
    say(f"{untranslated} terms are left to translate")


def _export(names):
    """Write ``<addon>.pot``, from a database without demo data: it is nobody's to translate."""
    template = database.template(addons.closure(names), demo=False)
    with database.temporary_copy(template, "i18n") as copy, step("Exporting terms"):
        odoo.call("i18n export", copy, *names)
    for name in names:
        _tidy(_folder(name) / f"{name}.pot")


def _tidy(path):
    """Rewrite a template so that it changes only when a term does."""
    template = polib.pofile(str(path))
    for field in DATES:
        template.metadata.pop(field, None)
    template.sort(key=lambda entry: (entry.msgid, entry.msgctxt or ""))
    template.save(newline="\n")


def _update(name, language):
    """Bring one translation up to its template; return how many terms lack a translation."""
    template = polib.pofile(str(_folder(name) / f"{name}.pot"))
    path = _folder(name) / f"{language}.po"
    translation = polib.pofile(str(path)) if path.exists() else polib.POFile()
    translation.merge(template)
    for entry in translation.obsolete_entries():
        translation.remove(entry)
    translation.sort(key=lambda entry: (entry.msgid, entry.msgctxt or ""))
    translation.header = template.header
    translation.metadata = {
        **template.metadata,
        "Language": language,
        "Plural-Forms": LANGUAGES[language],
    }
    translation.save(str(path), newline="\n")
    return _report(name, language, translation)


def _report(name, language, translation):
    missing = [*translation.untranslated_entries(), *translation.fuzzy_entries()]
    if missing:
        say(f"  {name}/i18n/{language}.po: {len(missing)} of {len(translation)} to translate")
    return len(missing)


def _folder(name):
    return ROOT / name / "i18n"

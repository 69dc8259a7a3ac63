"""Tags such as ``$invoice-total$`` in a text, and the placeholders of Odoo they stand for.

A tag is ``$module-field$``, whatever the module: the contact, the record itself, or a record that
it points to. Nothing here knows the database: what there is comes as :class:`Model`.
"""

import re
from dataclasses import dataclass
from difflib import get_close_matches

#: A placeholder, which is left alone, or a tag. Both parts of a tag begin with a letter: an
#: amount of money is none.
_TAG = re.compile(
    r"\{\{.*?\}\}|\$(?P<module>[^\W\d_][\w ./]{0,60})-(?P<field>[^\W\d_][^$\n{}]{0,60})\$",
    re.DOTALL,
)
#: What the contact is called.
CONTACT_WORDS = (
    "contact customer recipient kontakti asiakas vastaanottaja kontakt kunde mottaker kund "
    "mottagare klient odbiorca"
)
#: What people call records of a model, besides its names in Odoo.
MODEL_WORDS = {
    "account.move": "invoice bill lasku faktura regning",
    "crm.lead": "lead opportunity liidi myyntimahdollisuus salgsmulighet affärsmöjlighet szansa",
    "calendar.event": "meeting appointment event tapaaminen møte möte spotkanie",
    "project.task": "task tehtävä oppgave uppgift zadanie",
    "purchase.order": "purchase purchaseorder ostotilaus innkjøp inköp zakup",
    "repair.order": "repair korjaus reparasjon reparation naprawa",
    "sale.order": "quotation order salesorder tarjous tilaus tilbud ordre offert oferta zamówienie",
    "stock.picking": "delivery transfer toimitus levering leverans dostawa",
}
#: Where a person's name is, for the words of it.
_NAMES = {
    "crm.lead": "contact_name",
    "hr.applicant": "partner_name",
    "hr.employee": "name",
    "res.partner": "name",
    "res.users": "name",
}
_PARTS_OF_NAME = {
    "firstname givenname etunimi fornavn förnamn imię": 0,
    "lastname surname sukunimi etternavn efternamn nazwisko": -1,
}
PARTS_OF_NAME = {word: part for words, part in _PARTS_OF_NAME.items() for word in words.split()}
#: Fields that a word may mean, the first that the model has.
_ALIASES = {
    "number numero nummer numer": "name ref code",  # codespell:ignore numer
    "name nimi navn namn nazwa": "name display_name",
    "title otsikko tittel titel tytuł": "name",  # codespell:ignore titel
    "reference viite referanse referens": "client_order_ref ref payment_reference name",
    "total sum amount summa yhteensä beløp belopp kwota": "amount_total amount expected_revenue",
    "due duedate eräpäivä forfall förfallodag termin": "invoice_date_due date_deadline",
    "date päivä päivämäärä dato datum data": "invoice_date date_order start date",
    "status state tila stage vaihe": "stage_id state",
    "phone mobile puhelin telefon": "phone",
    "email sähköposti epost": "email email_from",
    "city kaupunki by stad miasto": "city",
    "salesperson seller myyjä selger säljare handlowiec": "user_id",
    "responsible vastuuhenkilö ansvarlig ansvarig": "user_id",
}
ALIASES = {word: names.split() for words, names in _ALIASES.items() for word in words.split()}
#: How a value is printed, by the kind of its field; else as it is.
_PRINTED = {
    "date": "format_date({value})",
    "datetime": "format_datetime({value})",
    "many2one": "{value}.display_name",
    "monetary": "format_amount({value}, {path}.{currency})",
    "selection": "{path}._fields['{name}'].convert_to_export({value}, {path})",
}
#: As many names as an error lists.
_LISTED = 12


@dataclass(frozen=True)
class Field:
    """A field as tags see it.

    :param labels: what it is called, in the languages of who writes
    :param kind: the field's type in Odoo
    :param comodel: technical name of the model that a many2one points to
    :param currency: name of the field with the currency of a monetary field
    """

    name: str
    labels: tuple[str, ...]
    kind: str = "char"
    comodel: str | None = None
    currency: str | None = None


@dataclass(frozen=True)
class Model:
    """A model as tags see it; fields that cannot be printed are left out."""

    name: str
    labels: tuple[str, ...]
    fields: tuple[Field, ...]


class UnknownTag(ValueError):
    """A tag of a module or a field that does not exist.

    ``tag`` is the tag as it was written; ``model`` is the :class:`Model` that has no such field,
    or None where the module is unknown; ``known`` lists what there is, the likeliest first.
    """

    def __init__(self, tag, model, known):
        super().__init__(tag)
        self.tag, self.model, self.known = tag, model, known


def translate(text, model, contact_path, describe):
    """The text with a placeholder for each tag.

    >>> contact = Model("res.partner", ("Contact",), (Field("name", ("Name",)),))
    >>> invoice = Model("account.move", ("Journal Entry",), (
    ...     Field("name", ("Number",)),
    ...     Field("amount_total", ("Total",), "monetary", currency="currency_id"),
    ...     Field("invoice_date_due", ("Due Date",), "date"),
    ...     Field("partner_id", ("Partner",), "many2one", "res.partner"),
    ... ))
    >>> def show(text):
    ...     return translate(text, invoice, "partner_id", {"res.partner": contact}.get)
    >>> show("Hi $contact-firstname$, $invoice-number$")
    'Hi {{ object.partner_id.name.split()[0] }}, {{ object.name }}'
    >>> show("$Invoice-total$")
    '{{ format_amount(object.amount_total, object.currency_id) }}'
    >>> show("Viimeistään $lasku-eräpäivä$")
    'Viimeistään {{ format_date(object.invoice_date_due) }}'
    >>> show("$partner-name$ $journal entry-partner$")
    '{{ object.partner_id.name }} {{ object.partner_id.display_name }}'

    Money, and a placeholder that is there already, are no tags.

    >>> show("From $5 to $10-ish, or 5$ - a - b$ {{ object.name ||| $a-b$ }} $")
    'From $5 to $10-ish, or 5$ - a - b$ {{ object.name ||| $a-b$ }} $'

    What does not exist is an error that tells what does.

    >>> try:
    ...     show("Hi $invoice-colour$")
    ... except UnknownTag as error:
    ...     print(error.tag, error.model.name, error.known)
    $invoice-colour$ account.move ['name', 'amount_total', 'invoice_date_due', 'partner_id']

    :param Model model: what the tool is on
    :param str contact_path: fields that lead to the contact; empty where the record is one
    :param describe: callable that gives the :class:`Model` of a technical name
    """

    def replace(match):
        if match["module"] is None:
            return match[0]
        path, owner = _find_module(match, model, contact_path, describe)
        return f"{{{{ {_print_field(match, path, owner)} }}}}"

    return _TAG.sub(replace, text)


def _find_module(match, model, contact_path, describe):
    """The expression of the record a tag means, and its :class:`Model`."""
    word = _normalize(match["module"])
    if word in CONTACT_WORDS.split():
        path = ".".join(filter(None, ["object", contact_path]))
        return path, describe("res.partner") if contact_path else model
    if word in _get_model_words(model):
        return "object", model
    relations = [field for field in model.fields if field.kind == "many2one"]
    if field := _find_by_name(word, relations):
        return f"object.{field.name}", describe(field.comodel)
    own = model.name.rpartition(".")[2]
    known = ["contact", own, *(field.name.removesuffix("_id") for field in relations)]
    raise UnknownTag(match[0], None, _sort_by_likeness(match["module"], known))


def _print_field(match, path, model):
    """The expression of a field of the record at a path."""
    word = _normalize(match["field"])
    field = _find_by_name(word, model.fields)
    if field is None and word in PARTS_OF_NAME and model.name in _NAMES:
        return f"{path}.{_NAMES[model.name]}.split()[{PARTS_OF_NAME[word]}]"
    field = field or _find_alias(word, model)
    if field is None:
        known = [field.name for field in model.fields]
        raise UnknownTag(match[0], model, _sort_by_likeness(match["field"], known))
    printed = _PRINTED.get(field.kind, "{value}")
    value = f"{path}.{field.name}"
    return printed.format(value=value, path=path, name=field.name, currency=field.currency)


def _find_by_name(word, fields):
    """The field of a name, else of a label."""
    for field in fields:
        if word in (_normalize(field.name), _normalize(field.name.removesuffix("_id"))):
            return field
    return next((f for f in fields if word in map(_normalize, f.labels)), None)


def _find_alias(word, model):
    by_name = {field.name: field for field in model.fields}
    return next((by_name[name] for name in ALIASES.get(word, ()) if name in by_name), None)


def _get_model_words(model):
    names = [model.name, model.name.rpartition(".")[2], *model.labels]
    labels_apart = [part for label in model.labels for part in label.split("/")]
    return {*map(_normalize, names + labels_apart), *MODEL_WORDS.get(model.name, "").split()}


def _sort_by_likeness(word, known):
    """The names nearest to what was written, then the others, as many as one can read."""
    known = list(dict.fromkeys(known))
    near = get_close_matches(word.strip().lower(), known, n=3, cutoff=0.5)
    others = [name for name in known if name not in near]
    return [*near, *others][:_LISTED]


def _normalize(word):
    return "".join(filter(str.isalnum, word.casefold()))

import json
import random
from datetime import datetime

from odoo.http import Controller
from odoo.tests import tagged

from ..controllers.contact_center import ContactCenterController
from ..engine.openapi import DIGITS
from ..engine.schema import TYPES
from .test_api import API, ApiCase

#: Events made of the document, and of each some that contradict it.
EVENTS_OF_EACH_TYPE = 5


class Maker:
    """Makes what a JSON schema of the document allows.

    :param dict document: to follow references in
    """

    def __init__(self, document, seed):
        self.document = document
        self.chance = random.Random(seed)

    def find(self, schema):
        """The schema itself, or that which it refers to."""
        while "$ref" in schema:
            found = self.document
            for name in schema["$ref"].removeprefix("#/").split("/"):
                found = found[name]
            schema = found
        return schema

    def make(self, schema):
        schema = self.find(schema)
        if "anyOf" in schema:
            return self.make(self.chance.choice(schema["anyOf"]))
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self.chance.choice(schema["enum"])
        kinds = schema["type"]
        kind = kinds if isinstance(kinds, str) else self.chance.choice(kinds)
        return getattr(self, f"make_{kind}")(schema)

    def make_object(self, schema):
        return {
            name: self.make(inner)
            for name, inner in schema["properties"].items()
            if name in schema["required"] or self.chance.random() < 0.5
        }

    def make_array(self, schema):
        return [self.make(schema["items"]) for _n in range(self.chance.randrange(4))]

    def make_integer(self, schema):
        return self.chance.randrange(10**9)

    def make_number(self, schema):
        least, most = schema["minimum"], schema["maximum"]
        some = (self.chance.randint(least, most), self.chance.uniform(least, most))
        return self.chance.choice((least, most, *some))

    def make_string(self, schema):
        if schema.get("format") == "date-time":
            moment = datetime.fromtimestamp(self.chance.randrange(1_700_000_000))
            return f"{moment.isoformat()}{self.chance.choice(('Z', '+02:00', '.5-11:30'))}"
        if schema["pattern"].endswith(DIGITS):
            return str(self.chance.randrange(10**9))
        length = self.chance.choice((1, schema["maxLength"], self.chance.randint(1, 20)))
        return "".join(self.chance.choices("aZ0 .-_/+é漢📞'\"<%\\", k=length - 1)) + "x"


@tagged("post_install", "-at_install")
class TestOpenapi(ApiCase):
    """The description of the interface is true."""

    def get_document(self):
        answer = self.call("/openapi.json", headers={"Authorization": ""})
        self.assertEqual(answer.status_code, 200)
        return answer.json()

    def test_it_is_there_for_everybody_and_whole(self):
        """Each reference leads somewhere, and each path names its parameters."""
        document = self.get_document()
        self.assertEqual(document["openapi"], "3.1.0")
        offer = document["paths"]["/callback-offer"]["get"]["responses"]["200"]["content"]
        self.assertEqual(set(offer), {"application/json", "text/plain"})
        maker = Maker(document, 0)
        for reference in self.walk(document, "$ref"):
            self.assertTrue(maker.find({"$ref": reference}))
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                with self.subTest(path=path, method=method):
                    named = [
                        p["name"] for p in operation.get("parameters", ()) if p["in"] == "path"
                    ]
                    self.assertEqual(
                        named, [part for part in ("code", "callback_id") if part in path]
                    )
                    self.assertTrue(operation["summary"])
                    self.assertIn("500", operation["responses"])

    def walk(self, value, name):
        """All values of that name, however deep."""
        if isinstance(value, dict):
            for key, inner in value.items():
                yield from [inner] if key == name else self.walk(inner, name)
        elif isinstance(value, list):
            for inner in value:
                yield from self.walk(inner, name)

    def test_each_address_is_described_and_none_else(self):
        described = {
            (method.upper(), path)
            for path, operations in self.get_document()["paths"].items()
            for method in operations
        }
        routes = {
            (routing["methods"][0], self.get_path(routing["routes"][0]))
            for routing in map(self.get_routing, vars(ContactCenterController).values())
            if routing
        }
        self.assertTrue(issubclass(ContactCenterController, Controller))
        self.assertEqual(routes, described)

    def test_an_address_names_all_that_it_may_be_asked(self):
        """Who asks with the wrong method learns of the right ones, also where they are several."""
        paths = self.get_document()["paths"]
        del paths["/openapi.json"]  # of OPTIONS Odoo makes GET where everybody may come
        for path, operations in paths.items():
            address = path.replace("{", "").replace("}", "")
            for method in ("OPTIONS", "PATCH"):
                with self.subTest(path=path, method=method):
                    answer = self.call(address, method=method)
                    named = set(answer.headers["Allow"].split(", ")) - {"HEAD", "OPTIONS"}
                    self.assertEqual(answer.status_code, 405)
                    self.assertEqual(named, {name.upper() for name in operations})

    def get_routing(self, method):
        return getattr(method, "original_routing", None)

    def get_path(self, route):
        """As OpenAPI writes it."""
        return route.removeprefix(API).replace("<string:", "{").replace(">", "}")

    def test_each_type_of_event_is_described_and_taken(self):
        """Whatever the document allows is taken; whatever it forbids is not."""
        document = self.get_document()
        mapping = document["components"]["schemas"]["Event"]["discriminator"]["mapping"]
        self.assertEqual(mapping.keys(), TYPES.keys())
        seed = random.randrange(10**6)
        maker = Maker(document, seed)
        for name, reference in mapping.items():
            with self.subTest(name, seed=seed):
                good = [self.make_event(maker, reference, n) for n in range(EVENTS_OF_EACH_TYPE)]
                answers = self.call("/events", good).json()
                self.assertEqual({one["http_status"] for one in answers}, {202}, (good, answers))
                bad = [broken for event in good for broken in self.break_event(maker, event)]
                answers = self.call("/events", bad).json()
                taken = [pair for pair in zip(bad, answers, strict=True) if "errors" not in pair[1]]
                self.assertFalse(taken)

    def make_event(self, maker, reference, place):
        """An event of a service that is there, and with an id of its own."""
        event = maker.make({"$ref": reference})
        event["id"] = f"{event['id']!s:.50}{event['type']}{place}"
        if TYPES[event["type"]].fields.get("service"):
            event["data"]["service"] = "support"
        return json.loads(json.dumps(event))

    def break_event(self, maker, event):
        """The event without one of what it needs, and with one of what its fields cannot be."""
        event = {**event, "id": f"{event['id'][:90]}-broken"}
        fields = TYPES[event["type"]].fields
        for name, rule in fields.items():
            data = event["data"]
            if rule.required:
                yield {**event, "data": {key: data[key] for key in data if key != name}}
            if rule.enum or rule.kind == "time":
                yield {**event, "data": {**data, name: "no such word"}}
            yield {**event, "data": {**data, name: maker.chance.choice(({"a": 1}, True, "\0"))}}
        yield {**event, "time": "2999-01-01T00:00:00Z"}
        yield {key: event[key] for key in event if key != "id"}

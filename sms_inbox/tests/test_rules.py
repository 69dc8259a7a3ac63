from datetime import datetime
from itertools import permutations

from odoo.tests import TransactionCase, tagged

from odoo.addons.sms_gateway.tests.common import CUSTOMER

from ..engine.routing import COMPANY, LEAD, OPPORTUNITY, PERSON, Candidate, rank
from .common import SmsInboxCase

OLD, NEW = datetime(2026, 1, 1), datetime(2026, 6, 1)
OLA, KARI, STRANGER = 1, 2, 3


def candidate(id_, kind=LEAD, owner=None, active=True, updated=OLD):
    model = "crm.lead" if kind in (LEAD, OPPORTUNITY) else "res.partner"
    return Candidate(model, id_, kind, owner, active, updated)


#: Each boundary of the six rules: the better record, the worse one, and the rule between them.
#: The worse one is better by every later rule.
BOUNDARIES = {
    "conversation": (
        candidate(1, active=False, updated=OLD),
        candidate(2, PERSON, OLA, updated=NEW),
    ),
    "seller": (candidate(11, active=False), candidate(12, PERSON, KARI, updated=NEW)),
    "team": (candidate(21, LEAD, KARI, active=False), candidate(22, PERSON, STRANGER, True, NEW)),
    "kind": (candidate(31, OPPORTUNITY, active=False), candidate(32, LEAD, updated=NEW)),
    "active": (candidate(41), candidate(42, active=False, updated=NEW)),
    "updated": (candidate(51, updated=NEW), candidate(52, updated=OLD)),
    "newest": (candidate(62), candidate(61)),
}


@tagged("post_install", "-at_install")
class TestRules(TransactionCase):
    """R118 to R123, each boundary with two records, then with three, in any order."""

    def rank(self, records, rule=None):
        if rule == "seller":
            records = [
                Candidate(c.model, c.id, c.kind, OLA if c.id == 11 else c.owner_id, c.active)
                for c in records
            ]
        return rank(
            records,
            conversations=[("crm.lead", 1)],
            sellers={OLA},
            team={OLA, KARI},
        )

    def test_r124_each_rule_breaks_only_the_ties_of_the_earlier_ones(self):
        """R124: strict lexicographic order, two records at each boundary."""
        for rule, pair in BOUNDARIES.items():
            for records in permutations(pair):
                with self.subTest(rule=rule, first=records[0].id):
                    ranked = self.rank(records, rule)
                    self.assertEqual([r.candidate.id for r in ranked], [c.id for c in pair])
                    self.assertEqual({r.rule for r in ranked}, {rule})

    def test_three_records_name_the_rule_for_each(self):
        """The winner's rule is the one that beat the runner-up; each other's, what beat it."""
        person = candidate(1000, PERSON, updated=NEW)
        company = candidate(1001, COMPANY, updated=NEW)
        archived = candidate(1002, PERSON, active=False, updated=NEW)
        for records in permutations((person, company, archived)):
            with self.subTest(first=records[0].id):
                ranked = self.rank(records)
                self.assertEqual(
                    [(r.candidate, r.rule) for r in ranked],
                    [(person, "active"), (archived, "active"), (company, "kind")],
                )

    def test_the_order_of_kinds(self):
        """R121: contact, company, opportunity, lead."""
        records = [candidate(70 + kind, kind) for kind in (LEAD, COMPANY, OPPORTUNITY, PERSON)]
        kinds = [r.candidate.kind for r in self.rank(records)]
        self.assertEqual(kinds, [PERSON, COMPANY, OPPORTUNITY, LEAD])

    def test_the_receiving_numbers_conversation_goes_before_a_later_one_elsewhere(self):
        """R118 with decision 6: the receiving number first, overall second."""
        here, elsewhere = candidate(1), candidate(80, PERSON, OLA, updated=NEW)
        ranked = rank([elsewhere, here], conversations=[here.key, elsewhere.key], sellers={OLA})
        self.assertEqual(ranked[0].candidate, here)


@tagged("post_install", "-at_install")
class TestRulesInOdoo(SmsInboxCase):
    """The same six rules on real records, from the webhook's fact to the chatter."""

    def assertWins(self, record, rule, **options):
        reply = self.receive(**options)
        self.assertEqual((reply._get_record(), reply.routing_rule), (record, rule))
        return reply

    def test_rule_1_the_latest_conversation(self):
        """R118: also against a contact of the addressed seller that was changed later."""
        lead = self.create_lead(active=False)
        self.text_the_customer(lead, sender=self.ola_sender)
        self.partner.write({"user_id": self.ola.id, "comment": "changed"})
        self.assertWins(lead, "conversation", sender=self.ola_sender)

    def test_rule_1_on_the_receiving_number_before_a_later_one_on_another(self):
        """R118, decision 6."""
        first, later = self.create_lead("First"), self.create_lead("Later")
        self.text_the_customer(first, sender=self.ola_sender)
        self.text_the_customer(later, sender=self.team_sender)
        self.assertWins(later, "conversation", sender=self.sender)
        self.assertWins(first, "conversation", sender=self.ola_sender)

    def test_rule_2_owned_by_the_seller_of_the_number(self):
        """R119."""
        lead = self.create_lead(user_id=self.ola.id, active=False)
        self.partner.user_id = self.kari
        self.assertWins(lead, "seller", sender=self.ola_sender)

    def test_rule_3_owned_by_a_seller_of_the_numbers_team(self):
        """R120, R151."""
        lead = self.create_lead(user_id=self.kari.id)
        self.partner.user_id = self.outsider
        self.assertWins(lead, "team", sender=self.team_sender)

    def test_rule_4_contact_company_opportunity_lead(self):
        """R121."""
        company = self.env["res.partner"].create(
            {"name": "Firm", "is_company": True, "phone": CUSTOMER}
        )
        opportunity = self.create_lead(type="opportunity")
        lead = self.create_lead()
        stranger = iter(f"+479900000{n}" for n in range(9))
        for record in (self.partner, company, opportunity):
            reply = self.assertWins(record, "kind")
            reply.conversation_id.unlink()
            reply.unlink()
            record.phone = next(stranger)
        self.assertWins(lead, "only")

    def test_rule_5_active_before_archived(self):
        """R122: archived ones are looked at, too."""
        self.partner.active = False
        other = self.env["res.partner"].create({"name": "Other", "phone": CUSTOMER})
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE res_partner SET write_date = '2020-01-01' WHERE id = %s", [other.id]
        )
        self.env.invalidate_all()
        self.assertWins(other, "active")
        other.phone = False
        reply = self.receive(sender=self.ola_sender, number="+4799999990")
        self.assertFalse(reply.res_id)

    def test_an_archived_record_alone_is_found(self):
        """R122."""
        self.partner.active = False
        self.assertWins(self.partner, "only")

    def test_rule_6_changed_last(self):
        """R123."""
        other = self.env["res.partner"].create({"name": "Other", "phone": CUSTOMER})
        self.env.flush_all()
        for record, date in ((other, "2020-01-01"), (self.partner, "2021-01-01")):
            self.env.cr.execute(
                "UPDATE res_partner SET write_date = %s WHERE id = %s", [date, record.id]
            )
        self.env.invalidate_all()
        self.assertWins(self.partner, "updated")

    def test_all_equal_is_decided_the_same_way_every_time(self):
        others = self.env["res.partner"].create(
            [{"name": f"P{n}", "phone": CUSTOMER} for n in (1, 2)]
        )
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE res_partner SET write_date = '2020-01-01' WHERE id = ANY(%s)",
            [[*others.ids, self.partner.id]],
        )
        self.env.invalidate_all()
        self.assertWins(others[1], "newest")

    def test_a_family_shares_a_number(self):
        """One number, four contacts, two leads: one of them, all the others named."""
        family = self.env["res.partner"].create(
            [{"name": name, "phone": CUSTOMER} for name in ("Bo", "Cat", "Dan")]
        )
        leads = self.create_lead("A", user_id=self.kari.id) | self.create_lead("B")
        reply = self.assertWins(leads[0], "team", sender=self.team_sender)
        self.assertEqual(len(reply.candidate_ids), 6)
        self.text_the_customer(family[1], sender=self.team_sender)
        self.assertWins(family[1], "conversation", sender=self.team_sender)

    def test_each_company_has_its_own_records(self):
        """The same customer is known to two companies, each with a number."""
        other = self.env["res.company"].create(
            {"name": "Other", "country_id": self.company.country_id.id}
        )
        theirs = self.create_lead("Theirs", company_id=other.id)
        gateway = self.gateway.copy({"company_id": other.id, "state": "enabled", "name": "2"})
        sender = self.env["sms.sender"].create(
            {
                "name": "Other",
                "kind": "dedicated",
                "address": "59445077",
                "gateway_id": gateway.id,
                "company_id": other.id,
                "state": "approved",
                "inbound_enabled": True,
            }
        )
        ours = self.create_lead("Ours", company_id=self.company.id)
        self.partner.company_id = self.company
        first = self.gateway
        self.gateway = gateway
        self.assertWins(theirs, "only", sender=sender)
        self.gateway = first
        reply = self.assertWins(self.partner, "kind")
        self.assertNotIn(theirs.id, reply.candidate_ids.mapped("res_id"))
        self.assertIn(ours.id, reply.candidate_ids.mapped("res_id"))

    def test_the_search_reads_indexes_only(self):
        """P12: whatever the number of contacts, no table is scanned."""
        query = self.env["sms.message"]._get_holders_query([CUSTOMER])
        self.env.cr.execute("SET LOCAL enable_seqscan = off")
        plan = self.env.execute_query(type(query)("EXPLAIN %s", query))
        self.assertNotIn("Seq Scan", str(plan))

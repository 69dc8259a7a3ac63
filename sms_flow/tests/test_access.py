import json
from contextlib import nullcontext
from datetime import timedelta

from lxml import etree

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import HttpCase, JsonRpcException, new_test_user, tagged
from odoo.tools import mute_logger
from odoo.tools.safe_eval import safe_eval

from odoo.addons.sms_inbox.tests import test_access as inbox

from .common import SmsFlowCase

SMS = "sms_gateway.group_sms_user"
SALES = "sales_team.group_sale_salesman"
ALL_SALES = "sales_team.group_sale_manager"
#: What somebody wants who may not run programs.
PROGRAM = "{{ object.env['ir.config_parameter'].sudo().get_param('database.secret') }}"

#: Kinds of users: the lead's salesman and another, one who reads contacts only, one who may not
#: text at all, one who sees all leads, who looks after SMS, an administrator; of another company.
SELLERS = ("seller", "colleague", "leader", "manager", "admin")
TEXTING = (*SELLERS, "reader")
INSIDE = (*TEXTING, "plain")
MANAGERS = ("manager", "admin")
OF_THE_LEAD = ("seller", "leader", "admin")
KINDS = (*INSIDE, "stranger", "portal", "public")
#: The public user has no key for calls from outside.
CALLERS = KINDS[:-1]

SET_UP = {"read": INSIDE, "write": MANAGERS, "create": MANAGERS, "unlink": MANAGERS}
ENGINE = {"write": (), "create": (), "unlink": ()}
#: P11. Who may do what with a record; all others of the kinds above may not.
RIGHTS = {
    "flow": SET_UP,
    "step": SET_UP,
    "answer": SET_UP,
    "reminder": SET_UP,
    "run of the lead": {"read": OF_THE_LEAD, **ENGINE},
    "stay of the lead": {"read": OF_THE_LEAD, **ENGINE},
    "run of the contact": {"read": TEXTING, **ENGINE},
    "stay of the contact": {"read": TEXTING, **ENGINE},
    "analysis of the lead": {"read": (*OF_THE_LEAD, "manager"), **ENGINE},
    "unmatched answer": {"read": ("seller", *MANAGERS), **ENGINE},
    "batch": {"read": ("seller", *MANAGERS), **ENGINE},
    "record of the batch": {"read": ("seller", *MANAGERS), **ENGINE},
    "tool": {"read": INSIDE, "write": ("admin",), "create": ("admin",), "unlink": ("admin",)},
}
#: Whose wizards are whose; those of another company have wizards of their own.
WIZARDS = {
    "sms.flow.start": (*TEXTING, "stranger"),
    "sms.flow.copy": (*MANAGERS, "stranger"),
    "sms.flow.check": (*MANAGERS, "stranger"),
    "sms.flow.check.line": (*MANAGERS, "stranger"),
    "sms.flow.unmatched.add": (*MANAGERS, "stranger"),
}
#: Who may press what: buttons, methods, and what goes on behind them.
PRESSES = {
    "open the record": OF_THE_LEAD,
    "see the picture": INSIDE,
    "see the path": OF_THE_LEAD,
    "stop the lead": OF_THE_LEAD,
    "dismiss the lead": OF_THE_LEAD,
    "retry the lead": OF_THE_LEAD,
    "move the lead": OF_THE_LEAD,
    "stop the contact": ("seller", "colleague", "leader", "manager", "admin"),
    "move the contact": ("seller", "colleague", "leader", "manager", "admin"),
    "press the tool": OF_THE_LEAD,
    "stop the batch": ("seller", *MANAGERS),
    "add the answer": MANAGERS,
    "rename the flow": MANAGERS,
    "switch the flow off": MANAGERS,
    "add the stages": MANAGERS,
    "check the flow": MANAGERS,
    "copy the flow": MANAGERS,
}
#: Refused in words that say what to do, not as an attempt.
IN_WORDS = ("move the lead", "move the contact")


class AccessCase(SmsFlowCase):
    """A salesman's lead in his team's flow, a contact in the survey, and all kinds of users."""

    records = inbox.AccessCase.records
    tried = inbox.AccessCase.tried
    caller = inbox.AccessCase.caller
    do = inbox.AccessCase.do

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.sms_default_sender_id = cls.sender
        cls.create_users()
        cls.team.member_ids += cls.users["seller"]
        cls.lead = cls.create_team_lead(name="Secret roof", user_id=cls.users["seller"].id)
        cls.reminder = cls.create_reminder()
        cls.env["sms.flow.transition"]._enter(cls.lead, cls.sale_step, "hand")
        cls.env["sms.flow.transition"]._enter(cls.partner, cls.questions[0], "hand")
        cls.env.cr.flush()
        cls.run_of_lead, cls.run_of_contact = (
            cls.env["sms.flow.run"].search([("res_model", "=", model), ("res_id", "=", id_)])
            for model, id_ in (("crm.lead", cls.lead.id), ("res.partner", cls.partner.id))
        )
        (cls.run_of_lead + cls.run_of_contact)._need_attention("Look at it")
        cls.tool = cls.env["sms.tool"].create(
            {
                "name": "Offer",
                "company_id": cls.company.id,
                "model_id": cls.env["ir.model"]._get_id("crm.lead"),
                "body": "Hi {{ object.partner_id.name }}",
            }
        )
        cls.lead.partner_id = cls.partner
        cls.batch = cls.env["sms.flow.batch"].create(
            {
                "flow_id": cls.flow.id,
                "step_id": cls.sale_step.id,
                "res_model": "crm.lead",
                "user_id": cls.users["seller"].id,
                "line_ids": [Command.create({"res_id": cls.lead.id, "state": "todo"})],
            }
        )
        cls.env.flush_all()

    def setUp(self):
        super().setUp()
        self.receive("Perhaps", sender=self.flow.sender_id)
        self.commit()
        self.unmatched = self.env["sms.flow.unmatched"].search([("body", "=", "Perhaps")])

    @classmethod
    def create_users(cls):
        cls.other_company = cls.env["res.company"].create({"name": "Other"})
        cls.users = {
            kind: new_test_user(cls.env, f"flow_{kind}", groups=groups)
            for kind, groups in {
                "seller": f"{SMS},{SALES}",
                "colleague": f"{SMS},{SALES}",
                "leader": f"{SMS},{ALL_SALES}",
                "reader": SMS,
                "plain": SALES,
                "manager": f"sms_gateway.group_sms_manager,{SALES}",
                "admin": f"base.group_system,{ALL_SALES}",
                "portal": "base.group_portal",
            }.items()
        }
        cls.users["public"] = cls.env.ref("base.public_user")
        cls.users["stranger"] = new_test_user(
            cls.env,
            "flow_stranger",
            groups=f"base.group_system,{ALL_SALES},base.group_partner_manager",
            company_id=cls.other_company.id,
            company_ids=[Command.set(cls.other_company.ids)],
        )

    def check_presses(self, kinds):
        for press, allowed in PRESSES.items():
            for kind in kinds:
                with self.subTest(press, user=kind), self.tried():
                    if kind in allowed:
                        self.do(press, self.caller(kind))
                        continue
                    with self.assertRaises(UserError if press in IN_WORDS else AccessError):
                        self.do(press, self.caller(kind))
                    self.assertEqual(self.run_of_lead.step_id, self.sale_step)
                    self.assertEqual(self.run_of_contact.step_id, self.questions[0])

    # === PRESSES === #

    def do_open_the_record(self, call):
        call("sms.flow.run", "action_open_record", self.run_of_lead.ids)

    def do_see_the_picture(self, call):
        call("sms.flow", "get_picture", self.flow.ids)

    def do_see_the_path(self, call):
        call("sms.flow", "get_picture", self.flow.ids, run_id=self.run_of_lead.id)

    def do_stop_the_lead(self, call):
        call("sms.flow.run", "action_stop", self.run_of_lead.ids)

    def do_dismiss_the_lead(self, call):
        call("sms.flow.run", "action_dismiss", self.run_of_lead.ids)

    def do_retry_the_lead(self, call):
        self.run_of_lead.entry_id.message_id = False
        self.env.flush_all()
        call("sms.flow.run", "action_retry", self.run_of_lead.ids)
        self.env.invalidate_all()
        self.assertTrue(self.run_of_lead.entry_id.message_id)

    def do_move_the_lead(self, call):
        self.move(call, self.lead, self.confirmed_step)

    def do_stop_the_contact(self, call):
        call("sms.flow.run", "action_stop", self.run_of_contact.ids)

    def do_move_the_contact(self, call):
        self.move(call, self.partner, self.questions[1])

    def move(self, call, records, step):
        values = {
            "res_model": records._name,
            "res_ids": json.dumps(records.ids),
            "flow_id": step.flow_id.id,
            "step_id": step.id,
        }
        wizard = call("sms.flow.start", "create", vals_list=[values])
        call("sms.flow.start", "action_start", wizard)

    def do_press_the_tool(self, call):
        call("sms.tool", "run", self.tool.ids, res_ids=self.lead.ids)

    def do_stop_the_batch(self, call):
        call("sms.flow.batch", "action_stop", self.batch.ids)

    def do_add_the_answer(self, call):
        call("sms.flow.unmatched", "action_add", self.unmatched.ids)

    def do_rename_the_flow(self, call):
        call("sms.flow", "write", self.flow.ids, vals={"name": "Ours"})

    def do_switch_the_flow_off(self, call):
        call("sms.flow", "action_switch_off", self.flow.ids)

    def do_add_the_stages(self, call):
        call("sms.flow", "action_add_stages", self.flow.ids)

    def do_check_the_flow(self, call):
        call("sms.flow", "action_check", self.flow.ids)

    def do_copy_the_flow(self, call):
        target = self.create_flow("New", model="res.partner")
        self.env.flush_all()
        values = {"flow_id": target.id, "source_id": self.survey.id}
        wizard = call("sms.flow.copy", "create", vals_list=[values])
        call("sms.flow.copy", "action_copy", wizard)


@tagged("post_install", "-at_install")
class TestAccess(AccessCase):
    """Who may do what, over the ORM."""

    # === RECORDS === #

    def get_examples(self):
        """A record of each line of the rights."""
        Report = self.env["sms.flow.report"]
        return {
            "flow": self.flow,
            "step": self.sale_step,
            "answer": self.yes,
            "reminder": self.reminder,
            "run of the lead": self.run_of_lead,
            "stay of the lead": self.run_of_lead.entry_id,
            "run of the contact": self.run_of_contact,
            "stay of the contact": self.run_of_contact.entry_id,
            "analysis of the lead": Report.browse(self.run_of_lead.entry_id.id),
            "unmatched answer": self.unmatched,
            "batch": self.batch,
            "record of the batch": self.batch.line_ids,
            "tool": self.tool,
        }

    def test_p11_who_may_do_what_with_which_record(self):
        """P11: runs by who may read the record, the set-up by who looks after SMS."""
        for name, example in self.get_examples().items():
            self.assertEqual(len(example), 1, name)
            for operation, allowed in RIGHTS[name].items():
                for kind in KINDS:
                    ids = () if operation == "create" else example.ids
                    records = self.records(kind, example._name, ids)
                    if operation == "create" and kind == "stranger":
                        continue  # in his own company: see TestOtherCompany
                    with self.subTest(name, user=kind, operation=operation):
                        self.assertEqual(records.has_access(operation), kind in allowed)

    def test_p11_searches_find_what_may_be_read_and_count_no_more(self):
        for name, example in self.get_examples().items():
            domain = [("id", "=", example.id)]
            for kind in KINDS:
                Model = self.records(kind, example._name)
                found = example.ids if kind in RIGHTS[name]["read"] else []
                with self.subTest(name, user=kind):
                    if not Model.has_access("read"):
                        self.assertFalse(found)
                        continue
                    self.assertEqual(Model.search(domain).ids, found)
                    self.assertEqual(Model.search_count(domain), len(found))
                    [(count,)] = Model._read_group(domain, [], ["__count"])
                    self.assertEqual(count, len(found))

    def test_who_has_which_wizards(self):
        for model, allowed in WIZARDS.items():
            for kind in KINDS:
                with self.subTest(model, user=kind):
                    Wizard = self.records(kind, model)
                    self.assertEqual(Wizard.has_access("create"), kind in allowed)

    def test_p11_the_counts_are_of_what_may_be_read(self):
        """P11: on the flow, on its steps and in its picture; none for who sees no runs at all."""
        for kind in INSIDE:
            flow = self.records(kind, "sms.flow", self.flow.ids)
            step = self.records(kind, "sms.flow.step", self.sale_step.ids)
            boxes = {box["id"]: box for box in flow.get_picture()["steps"]}
            seen = kind in OF_THE_LEAD
            with self.subTest(user=kind):
                self.assertEqual((flow.run_count, flow.attention_count), (seen, seen))
                self.assertEqual(step.run_count, seen)
                self.assertEqual(boxes[step.id]["count"], seen)
                self.assertEqual(boxes[step.id]["attention"], seen)

    def test_p11_the_name_of_a_record_is_told_to_its_readers(self):
        """P11: a manager analyses all of the company, and not every lead is his to read."""
        for kind in ("seller", "manager"):
            self.env.invalidate_all()
            Report = self.records(kind, "sms.flow.report")
            domain = [("run_id", "=", self.run_of_lead.id)]
            specification = {"run_id": {"fields": {"display_name": {}}}}
            told = {
                "read": Report.search(domain).read(["run_id"]),
                "list": Report.web_search_read(domain, specification)["records"],
                "groups": Report.formatted_read_group(domain, ["run_id"], ["__count"]),
            }
            self.assertTrue(all(told.values()))
            for where, rows in told.items():
                assert_told = self.assertIn if kind == "seller" else self.assertNotIn
                with self.subTest(where, user=kind):
                    assert_told("Secret roof", str(rows))

    # === PRESSES === #

    def test_p11_who_may_press_what(self):
        """P11: stop, dismiss, send again and move by who may change the record; and so on."""
        self.check_presses(KINDS)

    def test_who_may_try_a_flow(self):
        """And on whose records: on those that he may read."""
        in_test_mode = nullcontext() if type(self)._registry_patched else None
        with in_test_mode or self.enter_registry_test_mode():
            for kind in KINDS:
                flow = self.records(kind, "sms.flow", self.flow.ids)
                for res_id in (False, self.lead.id):
                    allowed = kind == "admin" or (kind == "manager" and not res_id)
                    with self.subTest(user=kind, res_id=res_id):
                        if allowed:
                            self.assertTrue(flow.get_trial([], res_id)["customer"])
                            continue
                        with self.assertRaises(AccessError):
                            flow.get_trial([], res_id)

    def test_no_path_of_another_flow(self):
        """Nor the texts of a record's run, through a flow that it is not in."""
        flow = self.records("seller", "sms.flow", self.survey.ids)
        with self.assertRaises(UserError):
            flow.get_picture(self.run_of_lead.id)

    # === TOOLS === #

    def test_who_sees_the_tool(self):
        for kind in KINDS:
            Tool = self.records(kind, "sms.tool")
            with self.subTest(user=kind):
                shown = [tool["name"] for tool in Tool.get_visible("crm.lead", self.lead.ids)]
                self.assertEqual(shown, ["Offer"] if kind in OF_THE_LEAD else [])

    def test_a_tool_is_for_who_may_text(self):
        """Who may not sees none on a lead of his own, and presses none."""
        lead = self.create_team_lead(user_id=self.users["plain"].id, partner_id=self.partner.id)
        tool = self.records("plain", "sms.tool", self.tool.ids)
        self.assertTrue(self.records("plain", "crm.lead", lead.ids).has_access("write"))
        self.assertFalse(tool.get_visible("crm.lead", lead.ids))
        with self.assertRaisesRegex(AccessError, "no right to send SMS"):
            tool.run(lead.ids)

    def test_a_tool_texts_from_records_that_one_may_post_on(self):
        """As the composer does: who only reads contacts does not text them."""
        tool = self.tool.copy(
            {"model_id": self.env["ir.model"]._get_id("res.partner"), "contact_path": False}
        )
        tool.body = "Hi {{ object.name }}"
        for kind, allowed in (("seller", True), ("reader", False)):
            mine = self.records(kind, "sms.tool", tool.ids)
            with self.subTest(user=kind), self.tried():
                shown = mine.get_visible("res.partner", self.partner.ids)
                self.assertEqual(bool(shown), allowed)
                if allowed:
                    mine.run(self.partner.ids)
                    continue
                with self.assertRaises(AccessError):
                    mine.run(self.partner.ids)

    def test_a_tool_texts_with_no_number_of_another(self):
        self.tool.sender_id = self.ola_sender
        tool = self.records("seller", "sms.tool", self.tool.ids)
        self.assertFalse(tool.get_visible("crm.lead", self.lead.ids))
        with self.assertRaisesRegex(UserError, "You may not send with Ola"):
            tool.run(self.lead.ids)
        self.tool.sender_id = self.flow.sender_id
        tool.run(self.lead.ids)

    def test_a_tool_that_is_off_is_pressed_by_nobody(self):
        self.tool.active = False
        for kind in ("seller", "admin"):
            with self.subTest(user=kind), self.assertRaisesRegex(UserError, "switched off"):
                self.records(kind, "sms.tool", self.tool.ids).run(self.lead.ids)

    # === SERVER ACTIONS === #

    def test_server_actions_move_only_what_one_may_change(self):
        """Whoever runs it by hand; nobody but an administrator makes one."""
        action = self.env["ir.actions.server"].create(
            {
                "name": "Move",
                "model_id": self.env["ir.model"]._get_id("crm.lead"),
                "state": "sms_flow_step",
                "sms_flow_step_id": self.confirmed_step.id,
            }
        )
        context = {"active_model": "crm.lead", "active_ids": self.lead.ids}
        for kind in KINDS:
            mine = self.records(kind, action._name, action.ids)
            with self.subTest(user=kind), self.tried(), mute_logger("odoo.addons.base.models"):
                self.assertEqual(mine.has_access("write"), kind in ("admin", "stranger"))
                run = mine.with_context(**context, active_id=self.lead.id).run
                if kind in OF_THE_LEAD:
                    run()
                else:
                    with self.assertRaises(AccessError):
                        run()
                self.env.cr.flush()
                moved = self.lead.sudo().sms_flow_step_id == self.confirmed_step
                self.assertEqual(moved, kind in OF_THE_LEAD)

    # === SCREENS === #

    #: The screens of others that we have put something on, and those that link to ours.
    SCREENS = {
        "crm.lead": [
            ("crm.crm_lead_view_form", "form"),
            ("crm.crm_case_tree_view_oppor", "list"),
            ("crm.crm_case_tree_view_leads", "list"),
            ("crm.crm_case_kanban_view_leads", "kanban"),
            ("crm.view_crm_case_opportunities_filter", "search"),
            ("crm.view_crm_case_leads_filter", "search"),
        ],
        "res.partner": [
            ("base.view_partner_form", "form"),
            ("base.view_partner_tree", "list"),
            ("base.res_partner_kanban_view", "kanban"),
            ("base.view_res_partner_filter", "search"),
        ],
        "crm.team": [("sales_team.crm_team_view_form", "form")],
        "sms.template": [
            ("sms.sms_template_view_form", "form"),
            ("sms.sms_template_view_tree", "list"),
            ("sms.sms_template_view_search", "search"),
        ],
        "sms.flow": [
            ("sms_flow.sms_flow_view_form", "form"),
            ("sms_flow.sms_flow_view_list", "list"),
        ],
        "sms.flow.step": [
            ("sms_flow.sms_flow_step_view_form", "form"),
            ("sms_flow.sms_flow_step_view_list", "list"),
        ],
        "sms.flow.run": [
            ("sms_flow.sms_flow_run_view_form", "form"),
            ("sms_flow.sms_flow_run_view_list", "list"),
            ("sms_flow.sms_flow_run_view_search", "search"),
        ],
        "sms.flow.report": [
            ("sms_flow.sms_flow_report_view_list", "list"),
            ("sms_flow.sms_flow_report_view_search", "search"),
        ],
    }

    def test_no_screen_breaks(self):
        """Each opens, with all it shows, for whoever may read its records."""
        self.env["sms.template"].create(
            {
                "name": "Hello",
                "body": "Hello",
                "model_id": self.env["ir.model"]._get_id("crm.lead"),
                "flow_id": self.flow.id,
            }
        )
        self.env.flush_all()
        for model, views in self.SCREENS.items():
            for kind in (*INSIDE, "stranger"):
                Model = self.records(kind, model)
                readable = Model.has_access("read")
                if model == "crm.team":
                    readable = self.records(kind, "crm.lead").has_access("read")  # as in Odoo
                for xml_id, type_ in views if readable else ():
                    with self.subTest(xml_id, user=kind):
                        self.env.invalidate_all()
                        self.open_screen(Model, xml_id, type_)

    def open_screen(self, Model, xml_id, type_):
        """Load a view and then what it shows, as the web client does."""
        views = Model.get_views([(self.env.ref(xml_id).id, type_)])["views"]
        arch = etree.fromstring(views[type_]["arch"])
        if type_ == "search":
            self.use_filters(Model, arch)
        else:
            Model.web_search_read([], self.specify(Model, arch), limit=20)

    def specify(self, Model, node):
        """What a view reads, as ``web_search_read`` takes it."""
        specification = {}
        for child in node.iterchildren(etree.Element):
            if child.tag != "field":
                specification |= self.specify(Model, child)
                continue
            field = Model._fields[child.get("name")]
            specification[field.name] = {}
            if field.relational:
                lists = child.xpath("./list | ./kanban")[:1]
                comodel = Model.env[field.comodel_name]
                inner = self.specify(comodel, lists[0]) if lists else {"display_name": {}}
                specification[field.name] = {"fields": inner}
        return specification

    def use_filters(self, Model, arch):
        """Press each filter and each grouping of ours, and search in each field of ours."""
        for node in arch.iter("filter"):
            domain, context = node.get("domain") or "[]", node.get("context") or "{}"
            if "sms" not in domain + context and not Model._name.startswith("sms."):
                continue
            group_by = safe_eval(context).get("group_by")
            groups = [group_by] if group_by else []
            Model.formatted_read_group(safe_eval(domain), groups, ["__count"])
            Model.web_search_read(safe_eval(domain), {"display_name": {}}, limit=20)
        for node in arch.iter("field"):
            if node.get("name").startswith("sms_"):
                Model.search([(node.get("name"), "ilike", "Sale")])

    def test_who_may_not_text_sees_nothing_of_flows_on_a_lead(self):
        """Neither in a view nor by asking."""
        for kind in ("plain", "portal"):
            for model, record in (("crm.lead", self.lead), ("res.partner", self.partner)):
                Model = self.records(kind, model)
                fields_ = Model.fields_get() if Model.has_access("read") else {}
                for name in ("sms_flow_step_id", "sms_flow_run_ids", "sms_flow_attention"):
                    with self.subTest(model, user=kind, field=name):
                        self.assertNotIn(name, fields_)
                        with self.assertRaises(AccessError):
                            Model.browse(record.id).read([name])
                        with self.assertRaises(AccessError):
                            Model.search([(name, "!=", False)])

    def test_the_workers_are_not_for_calls_from_outside(self):
        """Every method that does not check rights is private."""
        allowed = {
            "copy",
            "copy_data",
            "create",
            "default_get",
            "get_picture",
            "get_trial",
            "get_visible",
            "run",
            "session_info",
            "unlink",
            "write",
        }
        public = {
            name
            for model in self.registry.values()
            for klass in model.mro()
            if klass.__module__.startswith("odoo.addons.sms_flow.")
            for name, value in vars(klass).items()
            if callable(value) and not name.startswith("_") and not name.startswith("action_")
        }
        self.assertEqual(public - allowed, set())


@tagged("post_install", "-at_install")
class TestAccessOfPrograms(AccessCase):
    """Texts and actions are programs: who may not write one, writes none in any way."""

    def get_steps(self, kind="manager"):
        return self.records(kind, "sms.flow.step", self.sale_step.ids)

    def get_ways(self, body):
        """Ways of a manager to give a step a text; each returns the step."""
        step, Step = self.get_steps(), self.records("manager", "sms.flow.step")
        flow = self.records("manager", "sms.flow", self.survey.ids)
        values = {"flow_id": flow.id, "name": "Q4", "body": body}
        in_norwegian = step.with_context(lang="nb_NO")
        return {
            "create": lambda: Step.create(values),
            "write": lambda: step.write({"body": body}) and step,
            "another language": lambda: in_norwegian.write({"body": body}) and in_norwegian,
            "translations": lambda: (
                step.update_field_translations("body", {"nb_NO": body}) and in_norwegian
            ),
            "import": lambda: self.load(Step, ["flow_id/.id", "name", "body"], [*values.values()]),
            "copy": lambda: flow.step_ids[0].copy({"body": body}),
            "flow": lambda: (
                flow.write({"step_ids": [Command.create(values)]})
                and flow.step_ids.filtered(lambda s: s.name == "Q4")
            ),
            "defaults of the context": lambda: Step.with_context(default_body=body).create(
                {"flow_id": flow.id, "name": "Q4"}
            ),
        }

    def load(self, Model, names, row):
        result = Model.load(names, [[str(value) for value in row]])
        if not result["ids"]:
            raise AccessError(str(result["messages"]))
        return Model.browse(result["ids"])

    def test_a_manager_writes_texts_with_fields_and_without_programs(self):
        self.env["res.lang"]._activate_lang("nb_NO")
        for way, write in self.get_ways("Hi {{ object.name }}").items():
            with self.subTest(way), self.tried():
                self.assertEqual(write().body, "Hi {{ object.name }}")
        for way, write in self.get_ways(f"Hi {PROGRAM}").items():
            with self.subTest(way, program=True), self.tried(), mute_logger("odoo.models"):
                with self.assertRaises(AccessError):
                    write()

    def test_nor_in_the_language_of_a_step(self):
        step = self.get_steps()
        self.assertTrue(step.lang)
        for lang in (PROGRAM, "{{ object.env.user.lang }}"):
            with self.subTest(lang), self.tried(), self.assertRaises(AccessError):
                step.lang = lang

    def test_a_prefix_is_no_program(self):
        """Whoever writes it: what stands in it is text."""
        reminder = self.records("manager", "sms.flow.reminder", self.reminder.ids)
        reminder.prefix = PROGRAM
        texts = self.sale_step._render_texts(self.lead, reminder.sudo())
        self.assertIn(PROGRAM, texts[self.lead.id])

    def test_others_write_no_texts(self):
        for kind in ("seller", "reader", "plain", "leader", "stranger"):
            with self.subTest(user=kind), self.assertRaises(AccessError):
                self.get_steps(kind).write({"body": "Hi"})

    def test_only_an_administrator_sees_and_gives_actions(self):
        """They are run with all rights, for whoever comes to the step."""
        action = self.create_action("log('hello')")
        commands = [Command.set(action.ids)]
        self.sale_step.action_ids = action
        self.env.flush_all()
        flow = self.records("manager", "sms.flow", self.survey.ids)
        step, Step = self.get_steps(), self.records("manager", "sms.flow.step")
        values = {"flow_id": flow.id, "name": "Q4"}
        self.assertNotIn("action_ids", Step.fields_get())
        ways = {
            "read": lambda: step.read(["action_ids"]),
            "search": lambda: Step.search([("action_ids", "in", action.ids)]),
            "write": lambda: step.write({"action_ids": commands}),
            "create": lambda: Step.create({**values, "action_ids": commands}),
            "flow": lambda: flow.write(
                {"step_ids": [Command.create({**values, "action_ids": commands})]}
            ),
            "update": lambda: flow.write(
                {"step_ids": [Command.update(flow.step_ids[0].id, {"action_ids": commands})]}
            ),
            "copy": lambda: step.copy({"action_ids": commands, "stage_id": False}),
            "defaults of the context": lambda: Step.with_context(
                default_action_ids=commands
            ).create(values),
            "import": lambda: self.load(
                Step, ["flow_id/.id", "name", "action_ids/.id"], [flow.id, "Q4", action.id]
            ),
        }
        for way, reach in ways.items():
            with self.subTest(way), self.tried(), self.assertRaises(AccessError):
                reach()
        admin = self.get_steps("admin")
        self.assertEqual(admin.action_ids, action)
        admin.action_ids = False

    def test_no_default_of_ones_own_gives_actions(self):
        """Odoo lets everybody save defaults for himself."""
        action = self.create_action("log('hello')")
        Default = self.records("manager", "ir.default")
        Default.set("sms.flow.step", "action_ids", action.ids, user_id=True)
        step = self.records("manager", "sms.flow.step").create(
            {"flow_id": self.survey.id, "name": "Q4"}
        )
        self.assertFalse(step.sudo().action_ids)

    def test_a_copy_by_a_manager_has_the_texts_and_no_actions(self):
        """An administrator's texts are copied as they are; his actions by him only."""
        text = "By {{ object.sudo().name }}"
        step = self.questions[0]
        step.write({"body": text, "action_ids": self.create_action().ids})
        self.env["sms.template"].create(
            {
                "name": "Thanks",
                "body": text,
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "flow_id": self.survey.id,
            }
        )
        for kind, actions in (("manager", 0), ("admin", 1)):
            target = self.create_flow("New", model="res.partner")
            self.env.flush_all()
            wizard = self.records(kind, "sms.flow.copy").create(
                {"flow_id": target.id, "source_id": self.survey.id}
            )
            wizard.action_copy()
            with self.subTest(user=kind):
                self.assertEqual(target.step_ids[0].body, text)
                self.assertEqual(len(target.step_ids[0].action_ids), actions)
                self.assertEqual(target.template_ids.body, text)

    def test_a_step_is_duplicated_by_who_may_not_see_its_actions(self):
        step = self.done
        step.action_ids = self.create_action()
        for kind, actions in (("manager", 0), ("admin", 1)):
            with self.subTest(user=kind), self.tried():
                copied = self.records(kind, "sms.flow.step", step.ids).copy()
                self.assertEqual(len(copied.sudo().action_ids), actions)


@tagged("post_install", "-at_install")
class TestOtherCompany(AccessCase):
    """P11: another company's never, not even by its administrator."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.gateway_of_others = cls.gateway.copy({"company_id": cls.other_company.id})
        sender = cls._create_sender(
            "Theirs",
            "dedicated",
            "59445999",
            gateway_id=cls.gateway_of_others.id,
            company_id=cls.other_company.id,
        )
        cls.theirs = cls.create_flow(
            "Theirs",
            model="res.partner",
            company_id=cls.other_company.id,
            sender_id=sender.id,
            inbound_enabled=False,
        )
        cls.their_step = cls.create_step(cls.theirs, name="Q", body="Question?")
        cls.their_end = cls.create_step(cls.theirs, name="End", is_final=True)
        cls.their_answer = cls.create_reply(cls.their_step, "yes", cls.their_end)
        cls.their_reminder = cls.create_reminder(cls.their_step)
        cls.their_template = cls.env["sms.template"].create(
            {
                "name": "Theirs",
                "body": "Hello",
                "model_id": cls.env["ir.model"]._get_id("res.partner"),
            }
        )
        cls.env.flush_all()

    def get_attacks(self):
        """Ways of their administrator into our flows."""
        env = self.records("stranger", "sms.flow").env
        step, end = self.questions[0], self.questions[1]
        mine = {
            name: getattr(self, name).with_env(env)
            for name in ("theirs", "their_step", "their_answer", "their_reminder")
        }
        template = self.their_template.with_env(env)
        contact = env["res.partner"].create({"name": "Theirs", "phone": "+4791919191"})
        answer = {"step_id": step.id, "keywords": "hi", "target_step_id": end.id}
        start = {
            "res_model": "res.partner",
            "res_ids": json.dumps(contact.ids),
            "flow_id": self.survey.id,
            "step_id": step.id,
        }
        return {
            "a new step": lambda: env["sms.flow.step"].create(
                {"flow_id": self.survey.id, "name": "Q4", "body": "Hi"}
            ),
            "a step goes over": lambda: mine["their_step"].write({"flow_id": self.survey.id}),
            "a step goes over with its flow": lambda: mine["theirs"].write(
                {"step_ids": [Command.update(self.their_step.id, {"flow_id": self.survey.id})]}
            ),
            "our step is taken": lambda: mine["theirs"].write(
                {"step_ids": [Command.link(step.id)]}
            ),
            "a new answer": lambda: env["sms.flow.reply"].create(answer),
            "an answer goes over": lambda: mine["their_answer"].write(answer),
            "an answer leads to us": lambda: mine["their_answer"].write({"target_step_id": end.id}),
            "a new reminder": lambda: env["sms.flow.reminder"].create({"step_id": step.id}),
            "a reminder goes over": lambda: mine["their_reminder"].write({"step_id": step.id}),
            "a step gives up to us": lambda: mine["their_step"].write({"expires_step_id": step.id}),
            "our sender": lambda: mine["theirs"].write({"sender_id": self.survey_sender.id}),
            "the flow goes over": lambda: mine["theirs"].write({"company_id": self.company.id}),
            "the flow goes over with a sender": lambda: mine["theirs"].write(
                {"company_id": self.company.id, "sender_id": self.survey_sender.id}
            ),
            "a template for our flow": lambda: template.write({"flow_id": self.survey.id}),
            "our template is taken": lambda: mine["theirs"].write(
                {"template_ids": [Command.link(self.our_template.id)]}
            ),
            "into our step": lambda: env["sms.flow.start"].create(start).action_start(),
            "the preview of our step": lambda: env["sms.flow.start"].new(start).preview,
            "a copy of our flow": lambda: env["sms.flow.copy"]
            .create({"flow_id": self.theirs.id, "source_id": self.survey.id})
            .action_copy(),
            "a copy into our flow": lambda: env["sms.flow.copy"]
            .create({"flow_id": self.survey.id, "source_id": self.theirs.id})
            .action_copy(),
            "a check of our flow": lambda: env["sms.flow.check"]
            .create({"flow_id": self.survey.id})
            .action_check_again(),
            "a check switches on": lambda: env["sms.flow.check"]
            .create({"flow_id": self.survey.id})
            .action_switch_on(),
            "a word for our answer": lambda: env["sms.flow.unmatched.add"]
            .create({"step_id": step.id, "body": "Hi", "word": "hi", "target_step_id": end.id})
            .action_add(),
            "a tool with our sender": lambda: env["sms.tool"].create(
                {
                    "name": "Hi",
                    "body": "Hi",
                    "model_id": env["ir.model"]._get_id("res.partner"),
                    "sender_id": self.survey_sender.id,
                }
            ),
        }

    def test_p11_no_way_leads_into_our_flows(self):
        """P11"""
        self.our_template = self.their_template.copy({"flow_id": self.survey.id})
        self.env.flush_all()
        before = (self.survey.step_ids, self.survey.template_ids)
        for way, attack in self.get_attacks().items():
            with self.subTest(way), self.tried():
                self.env.invalidate_all()
                with self.assertRaises(UserError):
                    attack()
                    self.env.cr.flush()
            self.assertEqual((self.survey.step_ids, self.survey.template_ids), before)

    def test_p11_no_wizard_of_ours_is_read(self):
        """P11: what stands in them, customers' texts too, stays for a while."""
        step = self.questions[0]
        wizards = {
            "sms.flow.start": {
                "res_model": "res.partner", "flow_id": self.survey.id, "step_id": step.id,
            },
            "sms.flow.copy": {"flow_id": self.survey.id, "source_id": self.survey.id},
            "sms.flow.check": {
                "flow_id": self.survey.id, "line_ids": [Command.create({"words": "Look"})],
            },
            "sms.flow.unmatched.add": {"step_id": step.id, "body": "Perhaps", "word": "perhaps"},
        }  # fmt: skip
        for model, values in wizards.items():
            wizard = self.records("admin", model).create(values)
            for records in (wizard, getattr(wizard, "line_ids", wizard)):
                theirs = self.records("stranger", records._name, records.ids)
                with self.subTest(records._name):
                    self.assertTrue(records.has_access("read"))
                    self.assertFalse(theirs.has_access("read"))

    def test_p11_a_contact_of_both_shows_each_its_own(self):
        """P11: the contact is shared, what our flow does with it is not."""
        self.their_template.flow_id = False
        ours = self.their_template.copy({"name": "Ours", "flow_id": self.survey.id})
        self.env.flush_all()
        for kind, seen in (("seller", True), ("stranger", False)):
            self.env.invalidate_all()
            contact = self.records(kind, "res.partner", self.partner.ids)
            Template = self.records(kind, "sms.template")
            offered = Template.search(Template._get_offered_domain(contact))
            with self.subTest(user=kind):
                self.assertTrue(contact.has_access("read"))
                self.assertEqual(bool(contact.sms_flow_attention), seen)
                self.assertEqual(bool(contact.sms_flow_run_ids), seen)
                self.assertEqual(ours in offered, seen)
                self.assertEqual(bool(contact._sms_flow_find()), seen)


@tagged("post_install", "-at_install")
class TestAccessOverRpc(AccessCase, HttpCase):
    """Who may do what, from outside: the JSON-2 API, and the one of the web client."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        tomorrow = fields.Datetime.now() + timedelta(hours=20)
        cls.keys = {
            kind: cls.env(user=cls.users[kind])["res.users.apikeys"]
            .sudo()
            ._generate("rpc", "test", tomorrow)
            for kind in CALLERS
        }

    caller = inbox.TestAccessOverRpc.caller
    unpack = inbox.TestAccessOverRpc.unpack

    @mute_logger("odoo.http")
    def test_p11_who_may_press_what_over_rpc(self):
        """P11: the same as in Odoo's own pages."""
        self.check_presses(CALLERS)

    @mute_logger("odoo.http")
    def test_p11_who_may_try_over_rpc(self):
        for kind in CALLERS:
            with self.subTest(user=kind), self.tried():
                arguments = {"script": [], "res_id": self.partner.id}
                if kind in MANAGERS:
                    self.caller(kind)("sms.flow", "get_trial", self.flow.ids, script=[])
                    continue
                with self.assertRaises(AccessError):
                    self.caller(kind)("sms.flow", "get_trial", self.survey.ids, **arguments)

    @mute_logger("odoo.http")
    def test_what_is_private_stays_so(self):
        """Even for an administrator."""
        call = self.caller("admin")
        for model, method, ids in (
            ("sms.flow.transition", "_enter", ()),
            ("sms.flow.run", "_stop", self.run_of_lead.ids),
            ("sms.flow.run", "_run_due", ()),
            ("sms.flow.batch", "_start", ()),
            ("sms.flow.check", "_open", ()),
            ("sms.tool", "_send", self.tool.ids),
            ("sms.tool", "_run_automatically", self.tool.ids),
        ):
            with self.subTest(model, method=method), self.assertRaises(AccessError):
                call(model, method, ids)
        self.authenticate(self.users["admin"].login, self.users["admin"].login)
        with self.assertRaises(JsonRpcException):
            self.make_jsonrpc_request(
                "/web/dataset/call_kw",
                {
                    "model": "sms.flow.run",
                    "method": "_stop",
                    "args": [self.run_of_lead.ids, "hand"],
                    "kwargs": {},
                },
            )
        self.assertEqual(self.run_of_lead.state, "active")

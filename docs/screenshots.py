"""The pictures of the documentation, taken from the running product by ``./dev screenshots``.

They tell one story on a fresh copy of the demo data: Anna Hansen is texted from her lead, answers
on her telephone, and what the screens of the addon say afterwards.
"""

import json
from datetime import UTC, datetime, timedelta

import harness

WINDOW = (1400, 800)
PHONE = (390, 844)
QUESTION = "Hi Anna, we can install your heat pump on Friday at 10. Does that suit you?"
UNICODE = "Hi Anna, your heat pump comes on Friday. Our fitter calls “half an hour” before."
ANSWER = "Friday at 10 is perfect 👍 See you!"
#: Texts to each customer with a demo telephone, and what is answered.
SMALL_TALK = [
    ("Thank you for your interest. May we visit you for an offer?", "Yes please, any afternoon"),
    ("Our offer is in your mailbox. Do you have any questions?", "Does it include the old one?"),
    ("It does: we take the old one away. Shall we order?", "Yes"),
    ("Ordered. It arrives next week.", None),
    ("Your delivery is on its way.", "👍"),
]
#: What strangers write to a number that makes no leads of them.
STRANGE = [
    "Is this the dentist? I must cancel my appointment on Monday",
    "Hello, do you also install heat pumps in Drammen?",
]
#: What is answered to the question of the demo flow, in turn.
FLOW_ANSWERS = ["Ja takk!", "When is it?"]
#: The number of the sales team.
SALES = "59440010"
#: The personal number of Ola.
OLA = "+4741500101"
COMPOSER = ".o-mail-ChatWindow .o-mail-Composer-input"
REPLY = "See you on Friday! Our fitter calls half an hour before."
MENUS = {
    "texts": "sms_gateway.sms_message_action",
    "graph": "sms_gateway.sms_message_action_report",
    "gateways": "sms_gateway.sms_gateway_action",
    "health": "sms_gateway.sms_gateway_action_health",
    "senders": "sms_gateway.sms_sender_action",
    "words": "sms_gateway.sms_keyword_action",
    "settings": "sms_gateway.sms_settings_action",
    "inbox": "sms_inbox.sms_message_action_todo",
    "conversations": "sms_inbox.sms_conversation_action_all",
    "moves": "sms_inbox.sms_conversation_move_log_action",
    "flows": "sms_flow.sms_flow_action",
    "flow-report": "sms_flow.sms_flow_report_action",
    "telephones": "sms_gateway_demo.sms_demo_phone_action_screen",
    "board": "contact_center.contact_center_service_action_board",
    "callbacks": "contact_center.contact_center_callback_action",
    "surveys": "sms_survey.survey_survey_action",
    "survey-report": "sms_survey.sms_survey_report_action",
}
#: The number that asks how a call was, what is answered, and the agents who took the calls.
SURVEY = "59440020"
MARKS = ["5", "4", "2", "5 takk"]
AGENTS = ["PJSIP/102", "PJSIP/103"]
CALL = """
fetch("/web/dataset/call_kw", {{
    method: "POST",
    headers: {{"Content-Type": "application/json"}},
    body: JSON.stringify({{jsonrpc: "2.0", method: "call", params: {params}}}),
}}).then((answer) => answer.json())
"""
SPREAD = """
UPDATE sms_message SET create_date = create_date - (last.id - sms_message.id) * interval '9 hours'
  FROM (SELECT max(id) AS id FROM sms_message) AS last
"""
TELL = """
fetch("/cc/api/v1/events", {{
    method: "POST",
    headers: {{"Content-Type": "application/json", Authorization: "Bearer {token}"}},
    body: JSON.stringify({events}),
}}).then((answer) => answer.status)
"""
AT_REST = """
[...document.images]
    .filter((image) => image.getBoundingClientRect().top < window.innerHeight)
    .every((image) => image.complete)
    && !document.querySelector(".fa-spin")
    && !document.getAnimations().some((animation) => animation.playState === "running")
"""
GRAPH = "document.querySelector('.o_graph_view canvas').toDataURL()"


def ago(**time):
    """A moment that long ago, as Odoo's fields hold it."""
    return f"{datetime.now(UTC) - timedelta(**time):%Y-%m-%d %H:%M:%S}"


def main(browser, url, take):
    """Take every picture.

    :param browser: :class:`devtools.browser.Browser`, logged in as the administrator
    :param url: the server's address
    :param take: function that writes the picture of a name
    """
    Story(browser, url, take).tell()


class Story:
    """The pictures, in the order in which they happen."""

    def __init__(self, browser, url, take):
        self.browser, self.url, self._take = browser, url, take

    def tell(self):
        """Take every picture."""
        self.browser.resize(*WINDOW)
        self.send_from_the_lead()
        self.answer_on_the_telephone()
        self.open_lead("Anna Hansen")
        self.browser.wait_until(self.chatter_says(ANSWER))
        self.take("lead-answered")
        self.answer_in_the_conversation()
        self.make_history()
        self.take_conversations()
        self.take_screens()
        self.tell_the_flow()
        self.take_the_queue()
        self.take_the_voice()
        self.tell_the_survey()
        self.browser.resize(*PHONE)
        self.take_small_screens()
        assert not self.browser.errors, self.browser.errors

    # Scenes --------------------------------------------------------------------------------

    def send_from_the_lead(self):
        """Write to Anna, too dearly first, and see it delivered."""
        self.open_lead("Anna Hansen")
        self.open_composer()
        self.browser.type(".modal textarea", UNICODE)
        self.browser.wait_for(".modal .o_sms_replace")
        self.take("composer-unicode")
        self.browser.type(".modal textarea", QUESTION)
        self.browser.wait_until("!document.querySelector('.modal .o_sms_unicode')")
        self.take("composer")
        self.browser.click(".modal-footer .btn-primary")
        self.browser.wait_until(self.chatter_says("Delivered"))

    def answer_on_the_telephone(self):
        """Type Anna's answer, and send it."""
        self.open("telephones", ".o_sms_demo_text")
        answer = ".o_sms_demo_phone:has(.o_sms_demo_text) textarea"
        self.browser.type(answer, ANSWER)
        self.browser.eval("document.querySelector('.o_sms_demo_content').scrollTo(0, 0)")
        self.take("telephones")
        self.browser.press("Enter")
        self.browser.wait_for(".o_sms_demo_text:not(.o_sms_demo_received)")

    def answer_in_the_conversation(self):
        """Open it from the icon at the number, write, and type some more."""
        self.browser.eval("document.querySelector('.o-sms-ConversationButton').click()")
        self.browser.wait_for(".o-mail-ChatWindow .o-mail-Message")
        self.browser.type(COMPOSER, REPLY)
        self.browser.press("Enter")
        self.browser.wait_until(
            "document.querySelectorAll('.o-mail-ChatWindow [data-state=delivered]').length === 2"
        )
        self.browser.type(COMPOSER, "Do you want the offer for")
        self.take("conversation")
        self.browser.eval(f"document.querySelector('{COMPOSER}').select()")
        self.browser.press("Delete")
        self.browser.press("Escape")
        self.browser.wait_until("!document.querySelector('.o-mail-ChatWindow')")

    def take_conversations(self):
        """Take where answers are looked for, put right and moved."""
        self.open("inbox", ".o_list_view .o_data_row")
        self.take("inbox")
        self.browser.click(".o_data_row button[name=action_handle]")
        self.browser.type(".modal [name=search_text] input", "Erik")
        self.browser.press("Enter")
        self.browser.wait_for(".modal .o_data_row")
        self.take("handle")
        self.open("conversations", ".o_list_view .o_data_row")
        self.browser.click(".o_switch_view.o_kanban")
        self.browser.wait_for(".o_kanban_record:not(.o_kanban_ghost)")
        self.take("conversations")
        lead, other = self.call("crm.lead", "search", [["name", "ilike", "Erik Johansen"]])
        self.move(lead, other)
        self.open("moves", ".o_list_view .o_data_row")
        self.take("moves")
        text = self.call("sms.message", "search", [["candidate_ids", "!=", False]])[0]
        self.browser.goto(f"{self.url}/odoo/sms.message/{text}")
        self.browser.wait_for(".o_form_view [name=candidate_ids] .o_data_row")
        self.take("why-here")

    def move(self, lead, other):
        """Move the conversation of a lead to another."""
        domain = [["sms_res_model", "=", "crm.lead"], ["sms_res_id", "in", [lead, other]]]
        (conversation,) = self.call("discuss.channel", "search_read", domain, ["sms_res_id"])
        target = other if conversation["sms_res_id"] == lead else lead
        wizard = self.call(
            "sms.conversation.move",
            "create",
            {"channel_ids": [[6, 0, [conversation["id"]]]], "record_ref": f"crm.lead,{target}"},
        )
        self.call("sms.conversation.move", "action_move", [wizard])

    def make_history(self):
        """Two weeks of texts with everybody, one of them in vain, and a stranger's question."""
        leads = self.call(
            "crm.lead", "search_read", [["name", "ilike", ":"]], ["phone_sanitized", "phone"]
        )
        phones = self.call("sms.demo.phone", "search_read", [], ["number", "name"])
        by_number = {phone["number"]: phone["id"] for phone in phones}
        customers = [lead for lead in leads if lead["phone_sanitized"] in by_number]
        for text, answer in SMALL_TALK:
            for lead in customers:
                self.send_text(lead, text)
                if answer and lead["id"] % 2:
                    self.answer(by_number[lead["phone_sanitized"]], answer)
        gone = by_number[customers[-1]["phone_sanitized"]]
        self.call("sms.demo.phone", "write", [gone], {"mode": "gone"})
        self.send_text(customers[-1], "When may we call you?")
        self.wait_for_texts([["state", "=", "failed"]], 1)
        harness.psql(self.database, SPREAD)
        stranger = next(phone["id"] for phone in phones if phone["name"] == "Stranger")
        for text in STRANGE:
            self.answer(stranger, text, OLA)
        self.wait_for_texts([["inbox_state", "=", "todo"]], len(STRANGE))

    def take_screens(self):
        """Take what a manager and an administrator look at."""
        self.open("texts", ".o_list_view .o_data_row")
        self.take("texts")
        self.open("graph", ".o_graph_view canvas")
        self.wait_for_graph()
        self.take("texts-graph")
        self.open("senders", ".o_list_view .o_data_row")
        self.take("senders")
        self.open("words", ".o_list_view .o_data_row")
        self.take("opt-out-words")
        self.open("settings", "[name=sms_retention_months]")
        self.take("settings")
        self.call("ir.config_parameter", "set_param", "web.base.url", "https://odoo.example.com")
        self.open("gateways", ".o_kanban_record:not(.o_kanban_ghost)")
        self.browser.click(".o_kanban_record")
        self.browser.click(".nav-link[name=webhooks]")
        self.browser.wait_for(".nav-link.active[name=webhooks]")
        self.take("gateway")
        self.take_the_health()

    def take_the_health(self):
        """Take the accounts at a glance: one is nearly empty, one has fallen silent."""
        low = {"balance": "31.5 SEK", "balance_amount": 31.5, "alert_balance": 100}
        calls = {"last_inbound_at": ago(hours=1), "last_status_at": ago(minutes=8)}
        silent = {"last_status_at": ago(hours=30), "alert_silence_hours": 24}
        accounts = [
            {"name": "46elks, Stockholm", "code": "elks", **low, "balance_at": ago(), **calls},
            {"name": "Twilio, reserve", "code": "twilio", **silent},
        ]
        for account in accounts:
            account.update(state="enabled", alert_user_id=False)
        self.call("sms.gateway", "create", accounts)
        self.browser.resize(WINDOW[0], 300)
        self.open("health", ".o_list_view .o_data_row")
        self.take("gateway-health")
        self.browser.resize(*WINDOW)

    def tell_the_flow(self):
        """Sales that are confirmed by text: one answers, one in words that nobody listed."""
        leads = self.call(
            "crm.lead",
            "search_read",
            [["name", "ilike", ":"], ["phone_sanitized", "!=", False]],
            ["phone_sanitized"],
        )
        phones = self.call("sms.demo.phone", "search_read", [["mode", "!=", "gone"]], ["number"])
        by_number = {phone["number"]: phone["id"] for phone in phones}
        asked = [lead for lead in leads if lead["phone_sanitized"] in by_number]
        self.set_stage(asked, "Sale")
        for lead, answer in zip(asked, FLOW_ANSWERS, strict=False):
            self.answer(by_number[lead["phone_sanitized"]], answer, SALES)
        harness.wait_for(
            lambda: self.call("sms.flow.run", "search_count", [["state", "=", "done"]])
        )
        self.take_the_flow()
        run = self.call("sms.flow.run", "search", [["state", "=", "done"]], limit=1)[0]
        self.browser.goto(f"{self.url}/odoo/sms.flow.run/{run}")
        self.browser.wait_for(".o_sms_flow_box")
        self.take("flow-run")
        self.open("flow-report", ".o_graph_view canvas")
        self.wait_for_graph()
        self.take("flow-report")
        self.take_a_tool()

    def set_stage(self, leads, name):
        """Put leads on a stage, and wait until their texts have arrived."""
        stage = self.call("crm.stage", "search", [["name", "=", name]])[0]
        team = self.call("sms.flow", "search_read", [], ["team_id"])[0]["team_id"][0]
        values = {"team_id": team, "type": "opportunity", "contact_name": "Anna"}
        self.call("crm.lead", "write", [lead["id"] for lead in leads], values)
        self.call("crm.lead", "write", [lead["id"] for lead in leads], {"stage_id": stage})
        delivered = [["origin", "=", "flow"], ["state", "=", "delivered"]]
        self.wait_for_texts(delivered, len(leads))

    def take_the_flow(self):
        """Take the picture, a step, what a check finds, and a try."""
        self.open("flows", ".o_data_row")
        self.browser.click(".o_data_row .o_data_cell[name=name]")
        self.browser.wait_for(".o_sms_flow_box")
        self.take("flow")
        self.browser.click(".o_sms_flow_box")
        self.browser.wait_for(".modal .o_field_widget[name=reply_ids] .o_data_row")
        self.take("flow-step")
        self.browser.click(".modal .btn-close")
        self.browser.wait_until("!document.querySelector('.modal')")
        self.browser.click("button[name=action_check]")
        self.browser.wait_for(".modal .o_data_row")
        self.take("flow-check")
        self.browser.click(".modal .btn-close")
        self.browser.wait_until("!document.querySelector('.modal')")
        self.browser.click("button[name=action_try]")
        self.browser.wait_for(".o_sms_flow_bubble")
        self.browser.click(".o_sms_flow_next")
        self.browser.wait_for(".o_sms_flow_bubble[data-kind=reminder]")
        self.browser.type(".o_sms_flow_phone input", "Ja takk 👍")
        self.browser.press("Enter")
        self.browser.wait_for(".o_sms_flow_bubble[data-who=customer]")
        self.take("flow-try")

    def take_a_tool(self):
        """Take a tool on leads."""
        model = self.call("ir.model", "search", [["model", "=", "crm.lead"]])[0]
        tool = self.call(
            "sms.tool",
            "create",
            {
                "name": "Our fitter is on his way",
                "icon": "fa-truck",
                "model_id": model,
                "description": "When the fitter has left for the customer",
                "contact_path": "partner_id",
                "visible_domain": "[('type', '=', 'opportunity')]",
                "body": "Hi $contact-firstname$, our fitter is on his way to you.",
            },
        )
        self.browser.goto(f"{self.url}/odoo/sms.tool/{tool}")
        self.browser.wait_for(".o_form_view [name=body] textarea")
        self.take("tool")

    def take_the_queue(self):
        """Take the board, a service with its texts, and who waits to be called back."""
        services = self.call("contact.center.service", "search", [])
        # the pictures are taken by day and by night
        self.call("contact.center.service", "write", services, {"calendar_id": False})
        self.open("board", ".o_contact_center_board .o_kanban_record:not(.o_kanban_ghost)")
        self.take("board")
        (support,) = self.call("contact.center.service", "search", [["code", "=", "support"]])
        self.browser.goto(f"{self.url}/odoo/contact.center.service/{support}")
        self.browser.wait_for(".o_form_view .nav-link[name=texts]")
        self.take("service")
        self.browser.click(".nav-link[name=texts]")
        self.browser.wait_for(".o_form_view [name=notify_body] textarea")
        self.take("service-texts")
        self.open("callbacks", ".o_list_view .o_data_row")
        self.take("callbacks")

    def take_the_voice(self):
        """Take a telephone that rings, and one that speaks."""
        self.open("telephones", ".o_sms_demo_voice_answer")
        self.browser.eval("document.querySelector('.o_sms_demo_content').scrollTo(0, 0)")
        self.take("telephone-rings")
        self.browser.click(".o_sms_demo_voice_answer")
        self.browser.wait_for(".o_sms_demo_voice_key")
        self.take("telephone-voice")

    def tell_the_survey(self):
        """Calls that end, what is asked after them, and what comes of the answers."""
        phones = self.call("sms.demo.phone", "search_read", [["mode", "=", "on"]], ["number"])
        mobiles = [phone for phone in phones if not phone["number"].startswith("+4755")]
        called = mobiles[: len(MARKS)]
        self.tell_calls([phone["number"] for phone in called])
        asked = [["origin", "=", "survey"], ["state", "=", "delivered"]]
        self.wait_for_texts(asked, len(called))
        for phone, mark in zip(called, MARKS, strict=True):
            self.answer(phone["id"], mark, SURVEY)
        harness.wait_for(
            lambda: self.call("survey.user_input", "search_count", [["sms_state", "=", "answered"]])
            == len(called)
        )
        self.open("surveys", ".o_data_row")
        self.browser.click(".o_data_row .o_data_cell[name=title]")
        self.browser.wait_for(".o_form_view .nav-link[name=sms]")
        self.browser.click(".nav-link[name=sms]")
        self.browser.wait_for(".o_form_view [name=sms_sender_id]")
        self.take("survey")
        self.open("survey-report", ".o_graph_view canvas")
        self.wait_for_graph()
        self.take("survey-report")

    def tell_calls(self, numbers):
        """Have the demo exchange tell of calls that were answered, and have ended."""
        (connector,) = self.call("contact.center.connector", "search", [["code", "=", "demo"]])
        action = self.call("contact.center.connector", "action_new_token", [connector])
        events = [
            {"id": f"{call_id}-{kind}", "type": f"call.{kind}", "data": data}
            for call_id, number in enumerate(numbers)
            for kind, data in self.describe_call(str(call_id), number)
        ]
        token = action["context"]["default_token"]
        status = self.browser.eval(TELL.format(token=token, events=json.dumps(events)))
        assert status in (200, 202), status

    def describe_call(self, call_id, number):
        """The events of one call to Support."""
        agent = AGENTS[int(call_id) % len(AGENTS)]
        call = {"service": "support", "call_id": call_id}
        yield "queued", {**call, "caller": number}
        yield "answered", {**call, "agent": agent}
        yield "ended", {**call, "reason": "caller", "talk_seconds": 100}

    def take_small_screens(self):
        """Take the same on a telephone."""
        self.open("conversations", ".o_kanban_record:not(.o_kanban_ghost)")
        self.browser.click(".o_kanban_record:not(.o_kanban_ghost)")
        self.browser.wait_for(".o-mail-ChatWindow .o-mail-Message")
        self.take("mobile-conversation")
        self.open("telephones", ".o_sms_demo_text")
        self.browser.type(".o_sms_demo_search input", "Anna")
        self.browser.wait_until("document.querySelectorAll('.o_sms_demo_phone').length === 1")
        self.take("mobile-telephones")

    # Steps ---------------------------------------------------------------------------------

    def take(self, name):
        """Take a picture once what is on it has arrived."""
        self.browser.wait_until(AT_REST)
        self._take(name)

    def wait_for_graph(self):
        """Wait until the bars have grown."""
        seen = []
        harness.wait_for(
            lambda: seen.append(self.browser.eval(GRAPH)) or seen[-2:-1] == seen[-1:], interval=0.5
        )

    def open(self, menu, selector):
        """Open a screen and wait for what it shows."""
        module, name = MENUS[menu].split(".")
        domain = [["module", "=", module], ["name", "=", name]]
        action = self.call("ir.model.data", "search_read", domain, ["res_id"])[0]["res_id"]
        self.browser.goto(f"{self.url}/odoo/action-{action}")
        self.browser.wait_for(selector)

    def open_lead(self, name):
        """Open a lead with its chatter."""
        lead = self.call("crm.lead", "search", [["name", "=", name]])[0]
        self.browser.goto(f"{self.url}/odoo/crm/{lead}")
        self.browser.wait_for(".o-mail-Message")

    def open_composer(self):
        """Press the SMS button; it shows when one points at the number."""
        self.browser.wait_until("document.querySelector('.o_field_phone_sms')")
        self.browser.eval("document.querySelector('.o_field_phone_sms').click()")
        self.browser.wait_for(".modal textarea")

    def chatter_says(self, words):
        """The condition that a message of the chatter holds the words."""
        return f"document.querySelector('.o-mail-Chatter')?.innerText.includes({json.dumps(words)})"

    def send_text(self, lead, text):
        """Text a lead, and wait for the delivery report."""
        count = self.count_texts([["state", "in", ["delivered", "failed"]]])
        composer = self.call(
            "sms.composer",
            "create",
            {
                "composition_mode": "comment",
                "res_model": "crm.lead",
                "res_id": lead["id"],
                "recipient_single_number_itf": lead["phone"],
                "body": text,
            },
        )
        self.call("sms.composer", "action_send_sms", [composer])
        self.wait_for_texts([["state", "in", ["delivered", "failed"]]], count + 1)

    def answer(self, phone, text, address=None):
        """Answer on a demo telephone, and wait for Odoo to have it."""
        count = self.count_texts([["direction", "=", "in"]])
        self.call("sms.demo.phone", "action_answer", [phone], text, address)
        self.wait_for_texts([["direction", "=", "in"]], count + 1)

    def count_texts(self, domain):
        """How many texts of the ledger meet the domain."""
        return self.call("sms.message", "search_count", domain)

    def wait_for_texts(self, domain, count):
        """Wait until the ledger holds so many texts."""
        harness.wait_for(lambda: self.count_texts(domain) >= count, message=str(domain))

    def call(self, model, method, *args, **kwargs):
        """Call a method as the browser's user."""
        params = {"model": model, "method": method, "args": args, "kwargs": kwargs}
        answer = self.browser.eval(CALL.format(params=json.dumps(params)))
        assert "error" not in answer, answer["error"]["data"]["message"]
        return answer.get("result")

    @property
    def database(self):
        """The name of the server's database."""
        return self.browser.eval("odoo.info.db")

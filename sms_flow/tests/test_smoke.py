from odoo.addons.sms_inbox.tests.common import SmsInboxCase


class TestSmoke(SmsInboxCase):
    def test_it(self):
        stages = [self.env["crm.stage"].create({"name": n}) for n in ("Sale", "Confirmed", "Receipt")]
        flow = self.env["sms.flow"].create({
            "name": "Heat pumps", "team_id": self.team.id, "sms_enabled": True,
            "sender_id": self.team_sender.id, "inbound_enabled": True,
            "step_ids": [
                (0, 0, {"stage_id": stages[0].id, "body": "Hi {{ object.contact_name }}, do you want it?",
                        "reminder_ids": [(0, 0, {"delay": 2})]}),
                (0, 0, {"stage_id": stages[1].id, "body": "Thank you!", "is_final": True}),
            ],
        })
        self.env["sms.flow.reply"].create({"step_id": flow.step_ids[0].id, "keywords": "JA, ja takk", "target_step_id": flow.step_ids[1].id})
        flow.flow_enabled = True
        lead = self.create_lead(team_id=self.team.id, type="opportunity", contact_name="Anna")
        self.assertFalse(lead.sms_flow_run_ids)
        lead.stage_id = stages[0]
        self.env.cr.flush()
        run = lead.sms_flow_run_ids
        self.assertEqual(run.attention, False)
        self.assertEqual(run.step_id, flow.step_ids[0])
        self.assertEqual(run.entry_id.message_id.body, "Hi Anna, do you want it?")
        self.assertTrue(run.next_reminder_at)
        with self.provider() as provider:
            self.run_lanes()
        self.assertEqual(len(provider.sent), 1)
        message = self.receive("Ja takk! 🙏", sender=self.team_sender)
        self.env.cr.flush()
        self.assertEqual(lead.stage_id, stages[1])
        self.assertEqual(run.state, "done")
        self.assertFalse(message.inbox_state)
        print([m.body for m in lead.message_ids], run.read())

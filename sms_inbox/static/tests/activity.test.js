import {contains, click, start, startServer} from "@mail/../tests/mail_test_helpers";
import {ActivityListPopoverItem} from "@mail/core/web/activity_list_popover_item";
import {describe, expect, test} from "@odoo/hoot";
import {defineSMSModels} from "@sms/../tests/sms_test_helpers";
import {getService, mountWithCleanup, onRpc} from "@web/../tests/web_test_helpers";

describe.current.tags("desktop");
defineSMSModels();

/** Show an activity as it stands in the list of a record's to-dos. */
async function showActivity(values) {
    await startServer();
    await start();
    const activity = getService("mail.store")["mail.activity"].insert({
        id: 1,
        can_write: true,
        date_deadline: luxon.DateTime.now().toISODate(),
        res_model: "crm.lead",
        res_id: 7,
        state: "today",
        summary: "Ask about Friday",
        ...values,
    });
    await mountWithCleanup(ActivityListPopoverItem, {props: {activity}});
    await contains(".o-mail-ActivityListPopoverItem");
}

test("R132: an activity of the category SMS opens the conversation of its record", async () => {
    onRpc("discuss.channel", "sms_open_conversation", ({args}) => {
        expect.step(args);
        return -1;
    });
    await showActivity({activity_category: "sms"});
    await click(".o-sms-Activity-write[title='Write SMS']");
    await expect.waitForSteps([["crm.lead", 7, false]]);
});

test("an activity of another category does not", async () => {
    await showActivity({activity_category: "default"});
    expect(".o-sms-Activity-write").toHaveCount(0);
});

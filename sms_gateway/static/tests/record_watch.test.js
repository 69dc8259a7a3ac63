import {waitForChannels} from "@bus/../tests/bus_test_helpers";
import {
    click,
    contains,
    openFormView,
    openListView,
    start,
    startServer,
} from "@mail/../tests/mail_test_helpers";
import {describe, expect, test} from "@odoo/hoot";
import {Deferred, tick} from "@odoo/hoot-mock";
import {defineSMSModels} from "@sms/../tests/sms_test_helpers";
import {coalesce} from "@sms_gateway/core/record_watch_service";

describe.current.tags("desktop");
defineSMSModels();

const channelOf = (id) => `sms_gateway.record/res.partner/${id}`;

/** Tell the browser, as the server does, that a text of a contact came or changed. */
function tell(pyEnv, id) {
    pyEnv["bus.bus"]._sendone(channelOf(id), "sms_gateway/record", {model: "res.partner", id});
}

function createText(pyEnv, partnerId, body, notification_status) {
    const messageId = pyEnv["mail.message"].create({
        body,
        message_type: "sms",
        model: "res.partner",
        res_id: partnerId,
    });
    return pyEnv["mail.notification"].create({
        mail_message_id: messageId,
        notification_status,
        notification_type: "sms",
        res_partner_id: partnerId,
    });
}

async function openContact() {
    const pyEnv = await startServer();
    const partnerId = pyEnv["res.partner"].create({name: "Someone", partner_share: true});
    const notificationId = createText(pyEnv, partnerId, "first", "process");
    await start();
    await openFormView("res.partner", partnerId);
    await contains(".o-mail-Message", {text: "first"});
    await waitForChannels([channelOf(partnerId)]);
    return {pyEnv, partnerId, notificationId};
}

test("a text that comes in appears in the chatter that is open", async () => {
    const {pyEnv, partnerId} = await openContact();
    createText(pyEnv, partnerId, "second", "sent");
    tell(pyEnv, partnerId);
    await contains(".o-mail-Message", {text: "second"});
    await contains(".o-mail-Message", {count: 2});
});

test("R146: a delivery report changes the status that is shown", async () => {
    const {pyEnv, partnerId, notificationId} = await openContact();
    await contains(".o-sms-Message-status[data-state=sending]");
    pyEnv["mail.notification"].write([notificationId], {notification_status: "sent"});
    tell(pyEnv, partnerId);
    await contains(".o-sms-Message-status[data-state=delivered]");
});

test("a record that has left the screen is watched no more", async () => {
    const {partnerId} = await openContact();
    await openListView("res.partner", {arch: `<list><field name="name"/></list>`});
    await click(".o_data_row:first");
    await waitForChannels([channelOf(partnerId)], {operation: "delete"});
});

test("what is asked for during a run leads to one more run", async () => {
    const runs = [];
    const refresh = coalesce(() => {
        runs.push(new Deferred());
        return runs.at(-1);
    });
    refresh();
    refresh();
    refresh();
    expect(runs).toHaveLength(1);
    runs[0].resolve();
    await tick();
    expect(runs).toHaveLength(2);
    runs[1].resolve();
    await tick();
    refresh();
    expect(runs).toHaveLength(3);
});

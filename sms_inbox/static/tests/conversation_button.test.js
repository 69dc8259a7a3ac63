import {click, contains, startServer} from "@mail/../tests/mail_test_helpers";
import {beforeEach, describe, expect, test} from "@odoo/hoot";
import {defineSMSModels} from "@sms/../tests/sms_test_helpers";
import {mountView, onRpc} from "@web/../tests/web_test_helpers";

describe.current.tags("desktop");
defineSMSModels();

const BUTTON = ".o_field_phone .o-sms-ConversationButton";
let mayText = true;
let pyEnv;

beforeEach(async () => {
    mayText = true;
    onRpc("has_group", () => mayText);
    pyEnv = await startServer();
});

async function openForm(resModel, values, options = {}) {
    const resId = values && pyEnv[resModel].create(values);
    const name = resModel === "visitor" ? "mobile" : "phone";
    const arch = `<form><field name="${name}" widget="phone"/></form>`;
    await mountView({type: "form", resModel, resId, arch, ...options});
    await contains(".o_field_phone");
    return resId;
}

test("R129: a contact's number has an icon that opens the conversation with it", async () => {
    onRpc("discuss.channel", "sms_open_conversation", ({args}) => {
        expect.step(args);
        return -1;
    });
    const partnerId = await openForm("res.partner", {name: "Anna", phone: "+4791234567"});
    await click(`${BUTTON}[title='Conversation by SMS']`);
    await expect.waitForSteps([["res.partner", partnerId, "+4791234567"]]);
});

test("R129: once, where the form cannot be changed too", async () => {
    await openForm("res.partner", {phone: "+4791234567"}, {readonly: true});
    expect(BUTTON).toHaveCount(1);
});

test("no number, no icon", async () => {
    await openForm("res.partner", {phone: false});
    expect(BUTTON).toHaveCount(0);
});

test("nor for a record that is not saved", async () => {
    await openForm("res.partner", undefined, {context: {default_phone: "+4791234567"}});
    expect(BUTTON).toHaveCount(0);
});

test("nor for users who may not text", async () => {
    mayText = false;
    await openForm("res.partner", {phone: "+4791234567"});
    expect(BUTTON).toHaveCount(0);
});

test("nor on records that no conversation belongs to", async () => {
    await openForm("visitor", {mobile: "+4791234567"});
    expect(BUTTON).toHaveCount(0);
});

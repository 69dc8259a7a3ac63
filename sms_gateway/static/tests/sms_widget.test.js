import {defineMailModels} from "@mail/../tests/mail_test_helpers";
import {click, edit, queryText} from "@odoo/hoot-dom";
import {animationFrame} from "@odoo/hoot-mock";
import {beforeEach, describe, expect, test} from "@odoo/hoot";
import {
    defineModels,
    fields,
    models,
    mountView,
    patchWithCleanup,
} from "@web/../tests/web_test_helpers";

import {SmsWidget} from "@sms/components/sms_widget/fields_sms_widget";

describe.current.tags("desktop");

class Draft extends models.Model {
    _name = "draft";

    body = fields.Text();
    sms_recipient_count = fields.Integer();
    sender_id = fields.Many2one({relation: "res.partner"});

    _records = [{id: 1, body: "", sms_recipient_count: 0, sender_id: false}];
}

defineMailModels();
defineModels([Draft]);
beforeEach(() => {
    Draft._records[0] = {id: 1, body: "", sms_recipient_count: 0, sender_id: false};
});

async function mountDraft(values = {}, arch = "") {
    Object.assign(Draft._records[0], values);
    await mountView({
        type: "form",
        resModel: "draft",
        resId: 1,
        arch: `<form>
                <field name="sms_recipient_count" invisible="1"/>
                ${arch}
                <field name="body" widget="sms_widget"/>
            </form>`,
    });
}

async function type(text) {
    await click(".o_field_sms_widget textarea");
    await edit(text, {confirm: false});
    await animationFrame();
}

const count = () => queryText(".o_sms_count").replace(/\s+/g, " ").trim();

test("R002: characters and segments are shown while the text is typed", async () => {
    await mountDraft();
    expect(count()).toBe("0 characters · 0 SMS");
    await type("a");
    expect(count()).toBe("1 character · 1 SMS");
    await type("a".repeat(160));
    expect(count()).toBe("160 characters · 1 SMS");
    await type("a".repeat(161));
    expect(count()).toBe("161 characters · 2 SMS");
    expect(".o_sms_count").toHaveAttribute("title", /^145 characters left in this SMS/);
});

test("R002: a euro counts as two characters", async () => {
    await mountDraft({body: "€".repeat(80)});
    expect(count()).toBe("160 characters · 1 SMS");
    expect(".o_sms_unicode").toHaveCount(0);
});

test("R002: segments and recipients are multiplied before sending", async () => {
    await mountDraft({body: "a".repeat(161), sms_recipient_count: 15});
    expect(".o_sms_total").toHaveText("2 SMS × 15 recipients = 30 SMS");
});

test("R002: nothing is multiplied for one recipient, or for an empty text", async () => {
    await mountDraft({body: "", sms_recipient_count: 15});
    expect(".o_sms_total").toHaveCount(0);
    await type("a");
    expect(".o_sms_total").toHaveCount(1);
});

test("R002: the characters that make a text dearer are named and replaced at once", async () => {
    await mountDraft({body: `“It’s late” ${"a".repeat(100)}`});
    expect(count()).toBe("112 characters · 2 SMS");
    expect(".o_sms_unicode").toHaveText(/Unicode, with 70 characters per SMS instead of 160/);
    expect(".o_sms_culprits").toHaveText("“ ’ ”");
    expect(".o_sms_replace").toHaveText("Replace: 1 SMS instead of 2");
    await click(".o_sms_replace");
    await animationFrame();
    expect(".o_field_sms_widget textarea").toHaveValue(`"It's late" ${"a".repeat(100)}`);
    expect(count()).toBe("112 characters · 1 SMS");
    expect(".o_sms_unicode").toHaveCount(0);
});

test("R002: what is typed but not yet left can be replaced too", async () => {
    await mountDraft();
    await type("a – b");
    await click(".o_sms_replace");
    await animationFrame();
    expect(".o_field_sms_widget textarea").toHaveValue("a - b");
    expect(".o_sms_unicode").toHaveCount(0);
});

test("R002: letters are named, but not to be replaced", async () => {
    await mountDraft({body: "Łódź\u00a0\tąę"});
    expect(".o_sms_culprits").toHaveText("Ł ó ź (special space) (tab) +2");
    expect(".o_sms_replace").toHaveCount(0);
});

test("R002: an emoji is named without what joins it", async () => {
    await mountDraft({body: "❤\ufe0f"});
    expect(".o_sms_culprits").toHaveText("❤");
});

test("R002: merge fields make the count a lower bound", async () => {
    await mountDraft({body: "Hi {{ object.name }}!", sms_recipient_count: 3});
    expect(count()).toBe("4 characters + merge fields · at least 1 SMS");
    expect(".o_sms_total").toHaveText("1 SMS × 3 recipients = at least 3 SMS");
});

test("R002: what a mailing makes of links and adds at the end is counted", async () => {
    patchWithCleanup(SmsWidget.prototype, {
        _getValueForSmsCounts(value) {
            return super
                ._getValueForSmsCounts(value)
                .replaceAll("https://x.y", "https://x.y/r/abcdef");
        },
        get nbrChar() {
            return super.nbrChar + 40;
        },
        get nbrCharExplanation() {
            return " (including opt-out link)";
        },
    });
    await mountDraft({body: `https://x.y\n${"a".repeat(100)}`});
    expect(count()).toBe("161 characters (including opt-out link) · 2 SMS");
});

test("Odoo's price list is shown only to a text that goes by Odoo's service", async () => {
    await mountDraft({body: "a"});
    expect(".o_sms_count a").toHaveCount(0);
});

test("Odoo's price list is shown where no sender of ours is chosen", async () => {
    await mountDraft({body: "a"}, `<field name="sender_id"/>`);
    expect(".o_sms_count a").toHaveCount(1);
});

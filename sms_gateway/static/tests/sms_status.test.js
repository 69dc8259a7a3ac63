import {click, contains, openFormView, start, startServer} from "@mail/../tests/mail_test_helpers";
import {describe, expect, test} from "@odoo/hoot";
import {queryAttribute} from "@odoo/hoot-dom";
import {defineSMSModels} from "@sms/../tests/sms_test_helpers";
import {MailNotification} from "@mail/../tests/mock_server/mock_models/mail_notification";
import {patchWithCleanup} from "@web/../tests/web_test_helpers";

describe.current.tags("desktop");
defineSMSModels();

/** Open a contact whose chatter shows one text with these notifications. */
async function openText(...notifications) {
    // As the server sends them to our people.
    patchWithCleanup(MailNotification.prototype, {
        get _to_store_defaults() {
            return [...super._to_store_defaults, "failure_reason", "sms_number"];
        },
    });
    const pyEnv = await startServer();
    const partnerId = pyEnv["res.partner"].create({name: "Someone", partner_share: true});
    const messageId = pyEnv["mail.message"].create({
        body: "not empty",
        message_type: "sms",
        model: "res.partner",
        res_id: partnerId,
    });
    for (const values of notifications) {
        pyEnv["mail.notification"].create({
            mail_message_id: messageId,
            notification_type: "sms",
            res_partner_id: partnerId,
            ...values,
        });
    }
    await start();
    await openFormView("res.partner", partnerId);
    await contains(".o-mail-Message");
}

const status = (state) => `.o-sms-Message-status[data-state="${state}"]`;

describe("R146: the delivery status stands below the text", () => {
    for (const [notification_status, state, label] of [
        ["ready", "queued", "Queued"],
        ["process", "sending", "Sending"],
        ["pending", "sent", "Sent"],
        ["sent", "delivered", "Delivered"],
        ["canceled", "cancelled", "Not sent"],
    ]) {
        test(label, async () => {
            await openText({notification_status});
            await contains(`.o-mail-Message ${status(state)}`, {text: label});
            expect(queryAttribute(status(state), "title")).toBe(label);
        });
    }

    test("a text that came in shows none", async () => {
        await openText();
        expect(".o-sms-Message-statuses").toHaveCount(0);
    });

    test("R044: a text that came in is marked", async () => {
        await openText();
        await contains(".o-sms-Message-received", {text: "Received SMS"});
    });

    test("a text of ours is not marked as received", async () => {
        await openText({notification_status: "sent"});
        expect(".o-sms-Message-received").toHaveCount(0);
    });

    test("several recipients are counted by status, the worst first", async () => {
        await openText(
            {notification_status: "sent"},
            {notification_status: "exception", failure_type: "sms_rejected"},
            {notification_status: "sent"}
        );
        await contains(".o-sms-Message-statuses", {text: "Failed 1Delivered 2"});
    });
});

describe("R147, R148: the reason of a failure", () => {
    const failure = {
        notification_status: "exception",
        failure_type: "sms_number_format",
        failure_reason: "InvalidSendingParameters (21211)",
        sms_number: "+4670",
    };
    const reason = [
        "InvalidSendingParameters (21211)",
        "Check that the number is valid and in international form (E.164), such as +46701234567.",
    ];

    test("is shown on hover, with the provider's code and what to do (R149)", async () => {
        await openText(failure);
        await contains(status("failed"), {text: "Failed: The number is not valid"});
        expect(queryAttribute(status("failed"), "title").split("\n")).toEqual([
            "Failed",
            "+4670",
            "The number is not valid",
            ...reason,
        ]);
        expect(queryAttribute(status("failed"), "aria-label")).toBe(
            queryAttribute(status("failed"), "title")
        );
    });

    test("is shown in the popover too", async () => {
        await openText(failure);
        await click(status("failed"));
        await contains(".o-mail-MessageNotificationPopover", {text: "+4670"});
        await contains(".o-mail-MessageNotificationPopover", {text: "(The number is not valid)"});
        await contains(".o-sms-NotificationReason", {text: reason[0]});
        await contains(".o-sms-NotificationAdvice", {text: reason[1]});
    });

    test("is told once for the numbers that share it", async () => {
        await openText(failure, {...failure, sms_number: "+4671"});
        await contains(status("failed"), {text: "Failed 2"});
        expect(queryAttribute(status("failed"), "title")).toBe(
            ["Failed", "+4670, +4671", "The number is not valid", ...reason].join("\n")
        );
    });

    test("an answer that never came is neither sent nor failed", async () => {
        await openText({notification_status: "exception", failure_type: "sms_no_answer"});
        await contains(status("unknown"), {text: "Unknown: No answer from the provider"});
        expect(status("failed")).toHaveCount(0);
    });

    test("an opt-out says so", async () => {
        await openText({notification_status: "canceled", failure_type: "sms_blacklist"});
        await contains(status("cancelled"), {text: "Not sent: The customer has opted out"});
    });
});

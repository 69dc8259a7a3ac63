import {
    click,
    contains,
    insertText,
    openDiscuss,
    start,
    startServer,
    triggerHotkey,
} from "@mail/../tests/mail_test_helpers";
import {beforeEach, describe, expect, test} from "@odoo/hoot";
import {queryAttribute} from "@odoo/hoot-dom";
import {OutOfFocusService} from "@mail/core/common/out_of_focus_service";
import {defineSMSModels} from "@sms/../tests/sms_test_helpers";
import {
    fetchHasOpportunities,
    getConversationActions,
} from "@sms_inbox/components/conversation_bar/conversation_actions";
import {
    getService,
    makeServerError,
    onRpc,
    patchWithCleanup,
    serverState,
} from "@web/../tests/web_test_helpers";

describe.current.tags("desktop");
defineSMSModels();

const CONVERSATION = {
    sms_number: "+4791234567",
    sms_sender_id: 1,
    sms_sender_name: "Sales",
    sms_can_receive: true,
    sms_may_send: true,
    sms_state: "waiting",
};
let pyEnv;

beforeEach(async () => {
    pyEnv = await startServer();
});

/** Open a conversation in Discuss; the attributes are those the server would tell. */
async function openConversation(attributes = {}, messages = []) {
    const channelId = pyEnv["discuss.channel"].create({
        name: "Anna Hansen",
        channel_type: "sms",
        channel_member_ids: [[0, 0, {partner_id: serverState.partnerId}]],
    });
    const messageIds = messages.map(({author}) =>
        pyEnv["mail.message"].create({
            author_id: author ?? serverState.partnerId,
            body: "Hello",
            message_type: "sms",
            model: "discuss.channel",
            res_id: channelId,
        })
    );
    await start();
    const store = getService("mail.store");
    store.insert({
        "discuss.channel": {id: channelId, ...CONVERSATION, ...attributes},
        "mail.message": messages.map(({sms_text}, index) => ({id: messageIds[index], sms_text})),
    });
    await openDiscuss(channelId);
    await contains(".o-mail-DiscussContent-threadName[title='Anna Hansen']");
    return {channelId, messageIds, store};
}

const status = (state) => `.o-sms-Message-status[data-state="${state}"]`;
const count = ".o-sms-Composer-count";

describe("the composer", () => {
    test("names the customer's number and ours", async () => {
        await openConversation();
        await contains(".o-mail-Composer-input[placeholder='SMS to +4791234567 from Sales']");
    });

    test("R002: counts characters and segments while the text is typed", async () => {
        await openConversation();
        await contains(count, {text: "0 characters · 0 SMS"});
        await insertText(".o-mail-Composer-input", "a".repeat(161));
        await contains(count, {text: "161 characters · 2 SMS"});
        await contains(".o-sms-Composer-unicode", {count: 0});
    });

    test("R002: names the characters that make a text dearer, and replaces them", async () => {
        await openConversation();
        await insertText(".o-mail-Composer-input", "It’s ready");
        await contains(".o-sms-Composer-culprits", {text: "’"});
        await click(".o-sms-Composer-replace", {text: "Replace"});
        await contains(".o-mail-Composer-input", {value: "It's ready"});
        await contains(".o-sms-Composer-unicode", {count: 0});
    });

    test("offers nothing that a text cannot carry", async () => {
        await openConversation();
        await contains(".o-mail-Composer button[name='add-emoji']");
        for (const name of ["upload-files", "voice-start", "add-gif"]) {
            expect(`.o-mail-Composer button[name='${name}']`).toHaveCount(0);
        }
    });

    test("says why the user cannot write", async () => {
        await openConversation({sms_may_send: false});
        await contains(".o-sms-Obstacle", {
            textContent: "You can read this conversation, but you cannot send from Sales.",
        });
        expect(".o-mail-Composer").toHaveCount(0);
    });

    test("says that a sender cannot be answered", async () => {
        await openConversation({sms_can_receive: false});
        await contains(".o-sms-Composer-notice", {text: "The customer cannot answer Sales."});
    });

    test("knows canned responses and emoji, and neither people nor commands", async () => {
        const {channelId, store} = await openConversation();
        const thread = store.Thread.get({model: "discuss.channel", id: channelId});
        const delimiters = getService("mail.suggestion").getSupportedDelimiters(thread);
        expect(delimiters.map(([delimiter]) => delimiter)).toEqual(["::", ":"]);
    });

    test("sends what looks like a command as a text", async () => {
        onRpc("/mail/message/post", () => expect.step("sent"));
        await openConversation();
        await insertText(".o-mail-Composer-input", "/help is on the way");
        triggerHotkey("Enter");
        await expect.waitForSteps(["sent"]);
    });

    test("sends an emoticon as it is typed", async () => {
        onRpc("/mail/message/post", async (request) => {
            const {params} = await request.json();
            expect.step(params.post_data.body);
        });
        await openConversation();
        await insertText(".o-mail-Composer-input", "See you :)");
        triggerHotkey("Enter");
        await contains(".o-mail-Message", {text: "See you :)"});
        expect.verifySteps(["See you :)"]);
    });

    test("shows the server's words where a text is refused, and keeps the text", async () => {
        onRpc("/mail/message/post", () => {
            throw makeServerError({type: "UserError", message: "The customer has opted out."});
        });
        expect.errors(1);
        await openConversation();
        await insertText(".o-mail-Composer-input", "Hello\nAnna");
        triggerHotkey("Enter");
        await contains(".modal", {text: "The customer has opted out."});
        await contains(".o-mail-Composer-input", {value: "Hello\nAnna"});
        await contains(".o-mail-Message", {count: 0});
        expect.verifyErrors(["The customer has opted out."]);
    });
});

describe("R146, R147: the state of a text", () => {
    test("stands below it, and is live", async () => {
        const sms_text = {direction: "out", notification_status: "ready"};
        const {messageIds, store} = await openConversation({}, [{sms_text}]);
        await contains(`.o-mail-Message ${status("queued")}`, {text: "Queued"});
        store.insert({
            "mail.message": {
                id: messageIds[0],
                sms_text: {
                    ...sms_text,
                    notification_status: "exception",
                    failure_type: "sms_number_format",
                    failure_reason: "InvalidSendingParameters (21211)",
                },
            },
        });
        await contains(status("failed"), {text: "Failed: The number is not valid"});
        expect(queryAttribute(status("failed"), "title")).toMatch(/21211/);
        await click(status("failed"));
        await contains(".o-mail-MessageNotificationPopover:contains(21211)");
    });

    test("is told by nobody who reports nothing", async () => {
        const sms_text = {
            direction: "out",
            notification_status: "pending",
            sms_without_report: true,
        };
        await openConversation({}, [{sms_text}]);
        await contains(".o-mail-Message");
        expect(".o-sms-Message-statuses").toHaveCount(0);
    });

    test("a text that came in has none, and need not say that it came in", async () => {
        const author = pyEnv["res.partner"].create({name: "Anna Hansen"});
        await openConversation({}, [{author, sms_text: {direction: "in"}}]);
        await contains(".o-mail-Message");
        expect(".o-sms-Message-statuses").toHaveCount(0);
        expect(".o-sms-Message-received").toHaveCount(0);
    });

    test("what a colleague sent has our colour, not the customer's", async () => {
        const author = pyEnv["res.partner"].create({name: "Colleague"});
        const sms_text = {direction: "out", notification_status: "sent"};
        await openConversation({}, [{author, sms_text}]);
        await contains(".o-mail-Message-bubble.o-green");
    });
});

test("a record is named where its name is known, in whatever order the news come", async () => {
    const record = {model: "crm.lead", id: 7, name: "Roof"};
    const {channelId, store} = await openConversation({sms_record: record});
    await contains(".o-sms-ConversationBar");
    await contains(".o-sms-ConversationBar-record", {count: 0});
    const news = {id: channelId, sms_res_model: "crm.lead", sms_res_id: 7};
    store.insert({"discuss.channel": news});
    await contains(".o-sms-ConversationBar-record", {text: "Roof"});
    store.insert({"discuss.channel": {...news, sms_res_id: 8}});
    await contains(".o-sms-ConversationBar-record", {count: 0});
});

test("what was sent can be neither changed nor decorated", async () => {
    const sms_text = {direction: "out", notification_status: "sent"};
    await openConversation({}, [{sms_text}]);
    await click(".o-mail-Message");
    await contains(".o-mail-Message-actions button[name='toggle-star']");
    for (const name of ["edit", "delete", "reaction", "reply-to", "pin"]) {
        expect(`.o-mail-Message-actions button[name='${name}']`).toHaveCount(0);
    }
});

test("what cannot be done with a conversation is not offered", async () => {
    await openConversation();
    for (const name of ["call", "attachments", "pinned-messages", "show-threads"]) {
        expect(`.o-mail-DiscussContent-header button[name='${name}']`).toHaveCount(0);
    }
    expect(".o-mail-DiscussContent-threadName").toHaveAttribute("disabled");
});

describe("R113: a new text", () => {
    /** What Discuss does when one arrives while the user is elsewhere. */
    async function receive(sms_quiet) {
        const {channelId, messageIds, store} = await openConversation({sms_quiet}, [
            {sms_text: {direction: "in"}},
        ]);
        patchWithCleanup(OutOfFocusService.prototype, {
            notify: () => expect.step("notification"),
        });
        const thread = store.Thread.get({model: "discuss.channel", id: channelId});
        await thread.notifyMessageToUser(store["mail.message"].get(messageIds[0]));
    }

    test("is notified", async () => {
        await receive(false);
        expect.verifySteps(["notification"]);
    });

    test("is not, where the company has switched it off", async () => {
        await receive(true);
        expect.verifySteps([]);
    });
});

describe("what can be done with a conversation", () => {
    const named = (conversation, facts = {}) =>
        getConversationActions(conversation, facts)
            .flat()
            .map(({id}) => id);

    test("depends on what it is", () => {
        expect(named({sms_state: "waiting"})).toInclude("done");
        expect(named({sms_state: "done"})).toInclude("reopen");
        expect(named({sms_state: "done"})).not.toInclude("done");
        expect(named({smsRecordName: "Roof"})).toInclude("open-record");
        expect(named({smsRecordName: false})).not.toInclude("open-record");
        expect(named({sms_can_undo_move: true})).toInclude("undo-move");
        expect(named({})).not.toInclude("undo-move");
    });

    test("R142: opportunities, where the record's customer can have them", async () => {
        expect(named({})).not.toInclude("opportunities");
        expect(named({}, {hasOpportunities: true})).toInclude("opportunities");
        const orm = {searchCount: async (...asked) => expect.step(asked) ?? 1};
        const lead = {sms_res_model: "crm.lead", sms_res_id: 7};
        expect(await fetchHasOpportunities(lead, orm)).toBe(true);
        expect(await fetchHasOpportunities({}, orm)).toBe(false);
        expect.verifySteps([
            [
                "crm.lead",
                [
                    ["id", "=", 7],
                    ["type", "=", "opportunity"],
                ],
            ],
        ]);
    });
});

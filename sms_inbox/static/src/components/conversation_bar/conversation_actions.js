import {_t} from "@web/core/l10n/translation";

/**
 * What can be done with a conversation.
 *
 * @typedef {object} ConversationAction
 * @property {string} id
 * @property {string} icon
 * @property {string} name
 * @property {(
 *      conversation: import("models").Thread,
 *      facts: { hasOpportunities: boolean }
 * ) => boolean} [isFit] always, if there is none
 * @property {(
 *      conversation: import("models").Thread,
 *      services: import("services").Services
 * ) => unknown} run
 */

const MODEL = "discuss.channel";

/** Call a method of the conversation, and do what it answers. */
async function call(conversation, {orm, action}, method, ...args) {
    const answer = await orm.call(MODEL, method, [[conversation.id], ...args]);
    if (answer?.type) {
        await action.doAction(answer);
    }
}

function openWizard({action}, name, model, context) {
    return action.doAction({
        type: "ir.actions.act_window",
        name,
        res_model: model,
        views: [[false, "form"]],
        target: "new",
        context,
    });
}

function openOther(conversation, services, name) {
    const context = {default_channel_id: conversation.id};
    return openWizard(services, name, "sms.conversation.open", context);
}

const isMine = ({sms_user_id, store}) =>
    Boolean(sms_user_id && sms_user_id.eq(store.self.main_user_id));

/** @type {ConversationAction[][]} in groups */
const ACTIONS = [
    [
        {
            id: "reopen",
            icon: "fa fa-undo",
            name: _t("Reopen"),
            isFit: ({sms_state}) => sms_state === "done",
            run: (conversation, services) => call(conversation, services, "action_sms_reopen"),
        },
        {
            id: "done",
            icon: "fa fa-check",
            name: _t("Mark as done"),
            isFit: ({sms_state}) => sms_state !== "done",
            run: (conversation, services) => call(conversation, services, "action_sms_done"),
        },
        {
            id: "assign-to-me",
            icon: "fa fa-hand-paper-o",
            name: _t("Assign to me"),
            isFit: (conversation) => !isMine(conversation),
            run: (conversation, services) =>
                call(conversation, services, "action_sms_assign_to_me"),
        },
        {
            id: "assign",
            icon: "fa fa-user",
            name: _t("Assign…"),
            run: ({id}, services) =>
                openWizard(services, _t("Assign conversation"), "sms.conversation.assign", {
                    default_channel_ids: [id],
                }),
        },
        {
            id: "unassign",
            icon: "fa fa-user-times",
            name: _t("Unassign"),
            isFit: ({sms_user_id}) => Boolean(sms_user_id),
            run: (conversation, services) => call(conversation, services, "sms_assign", false),
        },
    ],
    [
        {
            id: "open-record",
            icon: "fa fa-external-link",
            name: _t("Open record"),
            isFit: ({smsRecordName}) => Boolean(smsRecordName), // else he may not read it
            run: (conversation, services) => call(conversation, services, "action_sms_open_record"),
        },
        {
            id: "move",
            icon: "fa fa-share",
            name: _t("Move to another record…"),
            run: ({id}, services) =>
                openWizard(services, _t("Move conversation"), "sms.conversation.move", {
                    default_channel_ids: [id],
                }),
        },
        {
            id: "undo-move",
            icon: "fa fa-reply",
            name: _t("Undo the last move"),
            isFit: ({sms_can_undo_move}) => Boolean(sms_can_undo_move),
            run: (conversation, services) => call(conversation, services, "action_sms_undo_move"),
        },
    ],
    [
        {
            id: "other-number",
            icon: "fa fa-exchange",
            name: _t("Write from or to another number…"),
            run: (conversation, services) =>
                openOther(conversation, services, _t("Write from or to another number")),
        },
        {
            id: "opportunities",
            icon: "fa fa-handshake-o",
            name: _t("Related opportunities…"),
            isFit: (conversation, {hasOpportunities}) => hasOpportunities,
            run: (conversation, services) =>
                openOther(conversation, services, _t("Related opportunities")),
        },
    ],
];

/** What makes a record one whose customer has opportunities (R142): a company or a lead is none. */
const WITH_OPPORTUNITIES = {
    "res.partner": ["is_company", "=", false],
    "crm.lead": ["type", "=", "opportunity"],
};

/**
 * Whether the customer can have opportunities beside the record of the conversation.
 *
 * @param {import("models").Thread} conversation
 * @param {import("services").Services["orm"]} orm
 * @returns {Promise<boolean>}
 */
export async function fetchHasOpportunities({sms_res_id, sms_res_model}, orm) {
    const condition = sms_res_id && WITH_OPPORTUNITIES[sms_res_model];
    const domain = [["id", "=", sms_res_id], condition];
    return Boolean(condition && (await orm.searchCount(sms_res_model, domain)));
}

/**
 * What can be done with a conversation as it is, in groups.
 *
 * @param {import("models").Thread} conversation
 * @param {{ hasOpportunities: boolean }} facts that take a look at the server
 * @returns {ConversationAction[][]}
 */
export function getConversationActions(conversation, facts) {
    return ACTIONS.map((group) =>
        group.filter(({isFit}) => !isFit || isFit(conversation, facts))
    ).filter((group) => group.length);
}

import {_t} from "@web/core/l10n/translation";

/**
 * What is known about a text to one recipient. A `mail.notification` of the browser is one; where
 * there are none, a plain object does.
 *
 * @typedef {object} SmsFacts
 * @property {string} notification_status in core's words
 * @property {string|false} [failure_type]
 * @property {string|false} [failure_reason] the provider's own words
 * @property {string} [failureMessage] core's words, for failures that we have none for
 * @property {string|false} [sms_number]
 * @property {boolean} [sms_without_report] whether the provider tells nothing after "sent"
 */

/** What a salesman reads where a text did not arrive, by failure type. */
const FAILURES = {
    sms_acc: () => _t("The provider does not know our account"),
    sms_blacklist: () => _t("The customer has opted out"),
    sms_bulk_disabled: () => _t("Bulk SMS is switched off"),
    sms_configuration: () => _t("The provider refused our account"),
    sms_country_not_supported: () => _t("The provider does not send to this country"),
    sms_credit: () => _t("The account has run out of money"),
    sms_disabled: () => _t("SMS is switched off"),
    sms_duplicate: () => _t("The number already gets this text"),
    sms_expired: () => _t("The telephone was not reached in time"),
    sms_invalid_destination: () => _t("The number cannot receive texts"),
    sms_merge_field: () => _t("A merge field is empty"),
    sms_no_answer: () => _t("No answer from the provider"),
    sms_not_allowed: () => _t("The operator does not allow it"),
    sms_not_delivered: () => _t("The operator could not deliver it"),
    sms_number_format: () => _t("The number is not valid"),
    sms_number_missing: () => _t("There is no number"),
    sms_optout: () => _t("The customer has opted out"),
    sms_registration_needed: () => _t("The sender must be registered in this country"),
    sms_rejected: () => _t("The operator refused it"),
    sms_sender: () => _t("The sender cannot be used"),
    sms_server: () => _t("The provider has trouble"),
    sms_throttled: () => _t("Too many texts at once"),
    sms_too_long: () => _t("The text is too long"),
};

const checkNumber = () =>
    _t("Check that the number is valid and in international form (E.164), such as +46701234567.");
const askAdministrator = () => _t("Ask an administrator to check the SMS settings.");

/** What can be done about it. */
const HINTS = {
    sms_number_missing: checkNumber,
    sms_number_format: checkNumber,
    sms_invalid_destination: checkNumber,
    sms_not_delivered: checkNumber,
    sms_credit: () => _t("Top up the account, then send it again."),
    sms_disabled: askAdministrator,
    sms_bulk_disabled: askAdministrator,
    sms_sender: askAdministrator,
    sms_configuration: askAdministrator,
    sms_acc: askAdministrator,
    sms_no_answer: () => _t("It may have been sent: ask the customer before you send it again."),
};

/** `sent` means to core that the provider reported the delivery, `pending` that it took the text. */
const STATE_BY_STATUS = {
    ready: "queued",
    process: "sending",
    pending: "sent",
    sent: "delivered",
    bounce: "failed",
    exception: "failed",
    canceled: "cancelled",
};

/**
 * The states of a text as they are shown below it, in the order of the trouble they mean.
 *
 * @typedef {keyof typeof STATES} SmsState
 */
const STATES = {
    failed: {icon: "fa fa-exclamation-triangle", color: "text-danger", label: () => _t("Failed")},
    unknown: {icon: "fa fa-question-circle", color: "text-warning", label: () => _t("Unknown")},
    cancelled: {icon: "fa fa-ban", color: "text-warning", label: () => _t("Not sent")},
    queued: {icon: "fa fa-clock-o", color: "text-muted", label: () => _t("Queued")},
    sending: {icon: "fa fa-paper-plane-o", color: "text-muted", label: () => _t("Sending")},
    sent: {icon: "fa fa-check", color: "text-muted", label: () => _t("Sent")},
    delivered: {
        icon: "fa fa-check o-sms-delivered",
        color: "text-success",
        label: () => _t("Delivered"),
    },
};

/**
 * @typedef {object} SmsStatus one state of a text and how many recipients are in it
 * @property {SmsState} state
 * @property {string} icon
 * @property {string} color
 * @property {string} label
 * @property {string} title everything there is to know, over several lines
 */

/**
 * A failure as a salesman reads it.
 *
 * @param {string|false} failureType
 * @returns {string|undefined} nothing for a failure that is not ours
 */
export function nameSmsFailure(failureType) {
    return FAILURES[failureType]?.();
}

/**
 * @param {SmsFacts} facts
 * @returns {SmsState|undefined}
 */
export function getSmsState({failure_type, notification_status}) {
    return failure_type === "sms_no_answer" ? "unknown" : STATE_BY_STATUS[notification_status];
}

/**
 * The failure in our words; empty where nothing failed.
 *
 * @param {SmsFacts} facts
 * @returns {string}
 */
export function getSmsFailure(facts) {
    const inTrouble = ["failed", "unknown", "cancelled"].includes(getSmsState(facts));
    return inTrouble && facts.failure_type
        ? (nameSmsFailure(facts.failure_type) ?? facts.failureMessage ?? "")
        : "";
}

/**
 * What can be done about the failure; empty where nothing can.
 *
 * @param {SmsFacts} facts
 * @returns {string}
 */
export function getSmsHint(facts) {
    return getSmsFailure(facts) ? (HINTS[facts.failure_type]?.() ?? "") : "";
}

/**
 * Whether there is anything to tell: past "sent" only reports tell.
 *
 * @param {SmsFacts} facts
 * @returns {boolean}
 */
export function tellsSms({notification_status, sms_without_report}) {
    return !(notification_status === "pending" && sms_without_report);
}

/**
 * What stands below a text: a state each for its recipients, the worst first.
 *
 * @param {SmsFacts[]} texts
 * @returns {SmsStatus[]}
 */
export function summarizeSms(texts) {
    const byState = Object.groupBy(texts, (facts) => getSmsState(facts));
    return Object.entries(STATES)
        .filter(([state]) => byState[state])
        .map(([state, {icon, color, label}]) => ({
            state,
            icon,
            color,
            label: describe(label(), byState[state], texts.length),
            title: explain(label(), byState[state]),
        }));
}

const NUMBERS_EXPLAINED = 10;

/** @returns {string} "Delivered", "Failed: Wrong Number Format", or "Failed 3" of several */
function describe(label, texts, total) {
    if (total > 1) {
        return _t("%(state)s %(count)s", {state: label, count: texts.length});
    }
    const failure = getSmsFailure(texts[0]);
    return failure ? _t("%(state)s: %(reason)s", {state: label, reason: failure}) : label;
}

/** @returns {string} the state, then the failures with their numbers, each reason once */
function explain(label, texts) {
    const byReason = Object.groupBy(
        texts.filter((facts) => getSmsFailure(facts)),
        (facts) =>
            [getSmsFailure(facts), facts.failure_reason, getSmsHint(facts)]
                .filter(Boolean)
                .join("\n")
    );
    const reasons = Object.entries(byReason).map(([reason, failed]) => {
        const numbers = failed.map((facts) => facts.sms_number).filter(Boolean);
        const shown = numbers.slice(0, NUMBERS_EXPLAINED).join(", ");
        const more = numbers.length > NUMBERS_EXPLAINED ? ", …" : "";
        return shown ? `${shown}${more}\n${reason}` : reason;
    });
    return [label, ...reasons].join("\n");
}

/**
 * What can be done about the failures of a text, each advice once.
 *
 * @param {SmsFacts[]} texts
 * @returns {string[]}
 */
export function adviseSms(texts) {
    return [...new Set(texts.map((facts) => getSmsHint(facts)).filter(Boolean))];
}

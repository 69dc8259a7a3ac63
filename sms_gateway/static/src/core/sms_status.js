import {_t} from "@web/core/l10n/translation";

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
 * What stands below a text: a state each for its recipients, the worst first.
 *
 * @param {import("models").Notification[]} notifications
 * @returns {SmsStatus[]}
 */
export function summarizeSms(notifications) {
    const byState = Object.groupBy(notifications, (notification) => notification.smsState);
    return Object.entries(STATES)
        .filter(([state]) => byState[state])
        .map(([state, {icon, color, label}]) => ({
            state,
            icon,
            color,
            label: describe(label(), byState[state], notifications.length),
            title: explain(label(), byState[state]),
        }));
}

const NUMBERS_EXPLAINED = 10;

/** @returns {string} "Delivered", "Failed: Wrong Number Format", or "Failed 3" of several */
function describe(label, notifications, total) {
    if (total > 1) {
        return _t("%(state)s %(count)s", {state: label, count: notifications.length});
    }
    const failure = notifications[0].smsFailure;
    return failure ? _t("%(state)s: %(reason)s", {state: label, reason: failure}) : label;
}

/** @returns {string} the state, then the failures with their numbers, each reason once */
function explain(label, notifications) {
    const byReason = Object.groupBy(
        notifications.filter((notification) => notification.smsFailure),
        ({smsFailure, failure_reason, smsHint}) =>
            [smsFailure, failure_reason, smsHint].filter(Boolean).join("\n")
    );
    const reasons = Object.entries(byReason).map(([reason, failed]) => {
        const numbers = failed.map((notification) => notification.sms_number).filter(Boolean);
        const shown = numbers.slice(0, NUMBERS_EXPLAINED).join(", ");
        const more = numbers.length > NUMBERS_EXPLAINED ? ", …" : "";
        return shown ? `${shown}${more}\n${reason}` : reason;
    });
    return [label, ...reasons].join("\n");
}

/**
 * What can be done about the failures of a text, each advice once.
 *
 * @param {import("models").Notification[]} notifications
 * @returns {string[]}
 */
export function adviseSms(notifications) {
    return [...new Set(notifications.map((notification) => notification.smsHint).filter(Boolean))];
}

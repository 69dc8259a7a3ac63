import {compareDatetime} from "@mail/utils/common/misc";

/**
 * The order of the conversations in a list: who waits for an answer first, then the newest.
 *
 * @param {import("models").Thread} one
 * @param {import("models").Thread} other
 * @returns {number}
 */
export function compareConversations(one, other) {
    return (
        isWaiting(other) - isWaiting(one) ||
        compareDatetime(other.lastInterestDt, one.lastInterestDt) ||
        other.id - one.id
    );
}

/**
 * @param {import("models").Thread} conversation
 * @returns {boolean} whether the customer waits for an answer
 */
export function isWaiting({sms_state}) {
    return sms_state === "waiting";
}

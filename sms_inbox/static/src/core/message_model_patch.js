import {fields} from "@mail/core/common/record";
import {Message} from "@mail/core/common/message_model";
import {patch} from "@web/core/utils/patch";

/**
 * What the server tells about a text of a conversation.
 *
 * @typedef {import("@sms_gateway/core/sms_status").SmsFacts & {
 *      direction: "in"|"out",
 * }} SmsText
 */

/** @type {import("models").Message & { sms_text: SmsText|false }} */
const messagePatch = {
    setup() {
        super.setup(...arguments);
        this.sms_text = fields.Attr(false);
    },

    /** @override what nobody wrote has the name of the company, not its address */
    get authorName() {
        const name = super.authorName;
        return this.sms_text && !this.author ? name?.replace(/^"?(.+?)"? <.*>$/, "$1") : name;
    },

    /** Whether it went from us to the customer, whoever of us wrote it. */
    get isSentSms() {
        return this.sms_text?.direction === "out";
    },

    /** @override */
    get isReceivedSms() {
        return this.sms_text ? this.sms_text.direction === "in" : super.isReceivedSms;
    },

    /** @override in a conversation its side tells */
    get isMarkedAsReceivedSms() {
        return !this.sms_text && super.isMarkedAsReceivedSms;
    },

    /** @override a text of a conversation has no notifications */
    get smsFacts() {
        return this.isSentSms ? [this.sms_text] : super.smsFacts;
    },

    /** @override what a colleague sent is ours too */
    get bubbleColor() {
        const color = super.bubbleColor;
        return color === "blue" && this.isSentSms ? "green" : color;
    },

    /** @override a telephone shows no reactions of ours */
    canAddReaction() {
        return !this.thread?.isSms && super.canAddReaction(...arguments);
    },

    /** @override a telephone does not show what is answered */
    canReplyTo(thread) {
        return !thread?.isSms && super.canReplyTo(...arguments);
    },
};
patch(Message.prototype, messagePatch);

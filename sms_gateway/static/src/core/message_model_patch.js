import {Message} from "@mail/core/common/message_model";
import {adviseSms, summarizeSms, tellsSms} from "@sms_gateway/core/sms_status";
import {patch} from "@web/core/utils/patch";

/** A name before an address, quoted or not: what stays of `"Anna (+47…)" <us@example.com>`. */
const NAME_BEFORE_ADDRESS = /^"?(?<name>.*?)"?\s*<[^<>]*>$/;

/** @type {import("models").Message} */
const messagePatch = {
    /** A text that a customer sent. Ours are notes, and have a notification for each recipient. */
    get isReceivedSms() {
        return (
            this.message_type === "sms" &&
            !this.isNote &&
            !this.notification_ids.some(({notification_type}) => notification_type === "sms")
        );
    },

    /** Hook: whether a text that came in says so. It does not where all the others are texts too. */
    get isMarkedAsReceivedSms() {
        return this.isReceivedSms;
    },

    /** @override a customer who is no contact has no e-mail address: what stands there is ours */
    get authorName() {
        const name = super.authorName;
        return this.isReceivedSms && !this.author
            ? name.replace(NAME_BEFORE_ADDRESS, "$<name>").replace(/\\(.)/g, "$1")
            : name;
    },

    /**
     * Hook: what is known about the text, for each of its recipients.
     *
     * @returns {import("@sms_gateway/core/sms_status").SmsFacts[]}
     */
    get smsFacts() {
        return this.message_type === "sms"
            ? this.notification_ids.filter(({notification_type}) => notification_type === "sms")
            : [];
    },

    /**
     * What stands below a text of ours; nothing below one that came in, nor where the provider
     * tells nothing.
     */
    get smsStatuses() {
        return summarizeSms(this.smsFacts.filter(tellsSms));
    },

    /** What can be done where it did not arrive. */
    get smsAdvice() {
        return adviseSms(this.smsFacts);
    },
};
patch(Message.prototype, messagePatch);

import {Message} from "@mail/core/common/message_model";
import {adviseSms, summarizeSms} from "@sms_gateway/core/sms_status";
import {patch} from "@web/core/utils/patch";

/** @type {import("models").Message} */
const messagePatch = {
    get smsNotifications() {
        return this.message_type === "sms"
            ? this.notification_ids.filter(({notification_type: type}) => type === "sms")
            : [];
    },

    /**
     * What stands below a text of ours; nothing below one that came in, nor where the provider
     * tells nothing.
     */
    get smsStatuses() {
        return summarizeSms(this.smsNotifications);
    },

    /** What can be done where it did not arrive. */
    get smsAdvice() {
        return adviseSms(this.smsNotifications);
    },
};
patch(Message.prototype, messagePatch);

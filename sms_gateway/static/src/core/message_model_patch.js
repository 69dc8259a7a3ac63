import {Message} from "@mail/core/common/message_model";
import {adviseSms, summarizeSms} from "@sms_gateway/core/sms_status";
import {patch} from "@web/core/utils/patch";

/** @returns {boolean} whether the state of the text is known: past "sent" only by reports */
function tellsSms({notification_type, notification_status, sms_without_report}) {
    return (
        notification_type === "sms" && !(notification_status === "pending" && sms_without_report)
    );
}

/** @type {import("models").Message} */
const messagePatch = {
    get smsNotifications() {
        return this.message_type === "sms"
            ? this.notification_ids.filter((notification) => tellsSms(notification))
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

import {Message} from "@mail/core/common/message";
import {summarizeSms} from "@sms_gateway/core/sms_status";
import {patch} from "@web/core/utils/patch";

patch(Message.prototype, {
    /**
     * What stands below a text of ours; nothing below one that came in, nor where the provider
     * tells nothing.
     *
     * @returns {import("@sms_gateway/core/sms_status").SmsStatus[]}
     */
    get smsStatuses() {
        if (this.message.message_type !== "sms") {
            return [];
        }
        return summarizeSms(
            this.message.notification_ids.filter(({notification_type: type}) => type === "sms")
        );
    },
});

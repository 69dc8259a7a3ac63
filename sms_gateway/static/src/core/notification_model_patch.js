import {Notification} from "@mail/core/common/notification_model";
import {getSmsFailure, getSmsHint, getSmsState, nameSmsFailure} from "@sms_gateway/core/sms_status";
import {patch} from "@web/core/utils/patch";

/** @type {import("models").Notification} */
const notificationPatch = {
    /** @override */
    get failureMessage() {
        return nameSmsFailure(this.failure_type) ?? super.failureMessage;
    },

    /** @override */
    get autoCanceledFailureType() {
        return this.notification_type === "sms" && nameSmsFailure(this.failure_type)
            ? this.failureMessage
            : super.autoCanceledFailureType;
    },

    /** @returns {import("@sms_gateway/core/sms_status").SmsState|undefined} */
    get smsState() {
        return getSmsState(this);
    },

    /** The failure in our words; empty where nothing failed. */
    get smsFailure() {
        return getSmsFailure(this);
    },

    /** What can be done about the failure; empty where nothing can. */
    get smsHint() {
        return getSmsHint(this);
    },
};
patch(Notification.prototype, notificationPatch);

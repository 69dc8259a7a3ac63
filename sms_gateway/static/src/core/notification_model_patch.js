import {Notification} from "@mail/core/common/notification_model";
import {_t} from "@web/core/l10n/translation";
import {patch} from "@web/core/utils/patch";

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

/** @type {import("models").Notification} */
const notificationPatch = {
    /** @override */
    get failureMessage() {
        return FAILURES[this.failure_type]?.() ?? super.failureMessage;
    },

    /** @override */
    get autoCanceledFailureType() {
        return this.notification_type === "sms" && this.failure_type in FAILURES
            ? this.failureMessage
            : super.autoCanceledFailureType;
    },

    /** @returns {import("@sms_gateway/core/sms_status").SmsState|undefined} */
    get smsState() {
        return this.failure_type === "sms_no_answer"
            ? "unknown"
            : STATE_BY_STATUS[this.notification_status];
    },

    /** The failure in our words; empty where nothing failed. */
    get smsFailure() {
        const inTrouble = ["failed", "unknown", "cancelled"].includes(this.smsState);
        return inTrouble && this.failure_type ? this.failureMessage : "";
    },

    /** What can be done about the failure; empty where nothing can. */
    get smsHint() {
        return this.smsFailure ? (HINTS[this.failure_type]?.() ?? "") : "";
    },
};
patch(Notification.prototype, notificationPatch);

import {fields} from "@mail/core/common/record";
import {Thread} from "@mail/core/common/thread_model";
import {isWaiting} from "@sms_inbox/core/conversation_order";
import {_t} from "@web/core/l10n/translation";
import {patch} from "@web/core/utils/patch";
import {imageUrl} from "@web/core/utils/urls";

/**
 * What the server tells about a conversation by text; nothing of it is set on other threads.
 *
 * @typedef {object} Conversation
 * @property {string} sms_number the customer's
 * @property {number} sms_sender_id
 * @property {string} sms_sender_name
 * @property {boolean} sms_can_receive whether customers can answer the sender
 * @property {boolean} [sms_may_send] unknown where the server told everybody at once
 * @property {string|false} sms_res_model of the record it belongs to
 * @property {number|false} sms_res_id
 * @property {{ model: string, id: number, name: string }|false} sms_record whose name is known
 * @property {"waiting"|"answered"|"done"} sms_state
 * @property {boolean} sms_quiet whether nobody is told of new texts
 * @property {boolean} sms_can_undo_move
 */

/** @type {import("models").Thread & Conversation} */
const threadPatch = {
    setup() {
        super.setup(...arguments);
        this.sms_partner_id = fields.One("res.partner");
        this.sms_user_id = fields.One("res.users");
        this.sms_waiting_since = fields.Datetime();
        this.sms_state = fields.Attr(undefined);
        this.sms_record = fields.Attr(false);
    },

    /** Whether what is written here goes out as a text. */
    get isSms() {
        return this.channel_type === "sms";
    },

    /** The name of the record; empty where the user may not read it, or has not heard yet. */
    get smsRecordName() {
        const {model, id, name} = this.sms_record || {};
        return model === this.sms_res_model && id === this.sms_res_id ? name : "";
    },

    get isSmsWaiting() {
        return this.isSms && isWaiting(this);
    },

    /** Why the user cannot write here; empty where he can, or where the server has to say. */
    get smsObstacle() {
        return this.isSms && this.sms_may_send === false
            ? _t("You can read this conversation, but you cannot send from %(sender)s.", {
                  sender: this.sms_sender_name,
              })
            : "";
    },

    /** @override */
    _computeDiscussAppCategory() {
        return this.isSms
            ? this.store.discuss.smsCategory
            : super._computeDiscussAppCategory(...arguments);
    },

    /** @override to count what is unread, as for people */
    get isChatChannel() {
        return this.isSms || super.isChatChannel;
    },

    /** @override the name is the customer's */
    get supportsCustomChannelName() {
        return !this.isSms && super.supportsCustomChannelName;
    },

    /** @override */
    get hasMemberList() {
        return this.isSms || super.hasMemberList;
    },

    /** @override */
    get hasAttachmentPanel() {
        return !this.isSms && super.hasAttachmentPanel;
    },

    /** @override */
    get allowedToUnpinChannelTypes() {
        return [...super.allowedToUnpinChannelTypes, "sms"];
    },

    /** @override the customer is no member, and a colleague who is one is not the customer */
    computeCorrespondent() {
        return this.isSms ? undefined : super.computeCorrespondent(...arguments);
    },

    /** @override */
    get avatarUrl() {
        return this.isSms
            ? (this.sms_partner_id?.avatarUrl ??
                  imageUrl("discuss.channel", this.id, "avatar_128", {
                      unique: this.avatar_cache_key,
                  }))
            : super.avatarUrl;
    },

    /** @override a conversation has its own tab on a telephone */
    setAsDiscussThread() {
        super.setAsDiscussThread(...arguments);
        if (this.isSms && this.store.env.services.ui.isSmall) {
            this.store.discuss.activeTab = "sms";
        }
    },

    /** @override where the company wants no notifications, the counters have to do */
    async notifyMessageToUser() {
        if (!this.sms_quiet) {
            await super.notifyMessageToUser(...arguments);
        }
    },
};
patch(Thread.prototype, threadPatch);

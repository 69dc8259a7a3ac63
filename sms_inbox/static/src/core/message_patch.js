import {Message} from "@mail/core/common/message";
import {patch} from "@web/core/utils/patch";

patch(Message.prototype, {
    /** @override ours on one side, the customer's on the other */
    get isAlignedRight() {
        return super.isAlignedRight || Boolean(this.env.inChatWindow && this.message.isSentSms);
    },

    /** @override the picture and name of who wrote it stand on that side, too */
    get attClass() {
        const isOurs = this.isAlignedRight && !this.env.messageCard && this.message.isSentSms;
        return isOurs
            ? {...super.attClass, "o-selfAuthored": true, "o-sms-ours": true}
            : super.attClass;
    },

    /** @override a customer who is no contact has the picture of the conversation */
    get authorAvatarUrl() {
        const {author, isReceivedSms, sms_text, thread} = this.message;
        return sms_text && isReceivedSms && !author ? thread.avatarUrl : super.authorAvatarUrl;
    },

    /** @override in a chat window the customer is named at the top */
    get shouldDisplayAuthorName() {
        return (
            super.shouldDisplayAuthorName &&
            !(this.env.inChatWindow && this.message.sms_text && this.message.isReceivedSms)
        );
    },
});

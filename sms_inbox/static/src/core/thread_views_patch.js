import {ChatWindow} from "@mail/core/common/chat_window";
import {DiscussContent} from "@mail/core/public_web/discuss_content";
import {ConversationBar} from "@sms_inbox/components/conversation_bar/conversation_bar";
import {patch} from "@web/core/utils/patch";

Object.assign(ChatWindow.components, {ConversationBar});
Object.assign(DiscussContent.components, {ConversationBar});

patch(DiscussContent.prototype, {
    /** @override */
    get showThreadAvatar() {
        return this.thread.isSms || super.showThreadAvatar;
    },
});

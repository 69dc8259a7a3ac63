import {Store} from "@mail/core/common/store_service";
import {convertBrToLineBreak} from "@mail/utils/common/format";
import {patch} from "@web/core/utils/patch";

/**
 * Give a text that was not sent back to its author, before whatever he typed since.
 *
 * @param {import("models").Message} message that stood for it
 * @param {import("@odoo/owl").Markup} body
 */
function takeBack(message, body) {
    const {composer} = message.thread;
    composer.composerText = [convertBrToLineBreak(body), composer.composerText]
        .filter(Boolean)
        .join("\n");
    composer.autofocus++;
    message.delete();
}

patch(Store.prototype, {
    /** @override what is typed is what is sent: an emoticon is no emoji, which costs more */
    async getMessagePostParams({body, thread}) {
        const params = await super.getMessagePostParams(...arguments);
        if (thread.isSms) {
            params.post_data.body = body;
        }
        return params;
    },

    /**
     * @override a text that is refused goes back to where it was typed, and the server's words are
     * shown. Core keeps it and offers to post it again, which would send a text twice whose answer
     * was lost on the way.
     */
    async doMessagePost(params, temporaryMessage) {
        if (!temporaryMessage?.thread.isSms) {
            return super.doMessagePost(...arguments);
        }
        try {
            return await super.doMessagePost(params);
        } catch (error) {
            takeBack(temporaryMessage, params.post_data.body);
            throw error;
        }
    },
});

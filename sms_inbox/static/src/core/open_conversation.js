import {registry} from "@web/core/registry";
import {user} from "@web/core/user";

import {useEnv} from "@odoo/owl";

/**
 * Show a conversation: in Discuss where that is on the screen, else in a chat window.
 *
 * @param {import("@web/env").OdooEnv} env
 * @param {number} channelId
 */
async function showConversation(env, channelId) {
    const {Thread} = env.services["mail.store"];
    const thread = await Thread.getOrFetch({model: "discuss.channel", id: channelId});
    thread?.open({focus: true, bypassCompact: true});
}

/** Whether the user may text at all. */
export function mayText() {
    return user.hasGroup("sms_gateway.group_sms_user");
}

/**
 * A function that shows the conversation with the customer of a record, a new one if need be.
 *
 * @returns {(model: string, id: number, number?: string) => Promise<void>}
 */
export function useOpenConversation() {
    const env = useEnv();
    return async (model, id, number = false) => {
        const args = [model, id, number];
        const channelId = await env.services.orm.call(
            "discuss.channel",
            "sms_open_conversation",
            args
        );
        await showConversation(env, channelId);
    };
}

registry.category("actions").add("sms_inbox.open", async (env, {params}) => {
    await showConversation(env, params.channel_id);
    return {type: "ir.actions.act_window_close"}; // the dialog it was chosen in
});

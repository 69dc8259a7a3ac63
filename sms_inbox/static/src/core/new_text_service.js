import {registry} from "@web/core/registry";

/**
 * Put texts that were sent from elsewhere at the end of a conversation. Odoo's own
 * `fetchNewMessages` leaves a channel that is loaded to the bus, and these ring nowhere.
 *
 * @param {import("models").Thread} thread
 */
async function showNewTexts(thread) {
    try {
        const after = thread.newestPersistentMessage?.id;
        const {data, messages} = await thread.fetchMessagesData({after});
        thread.store.insert(data);
        if (!thread.loadNewer) {
            for (const message of thread.store["mail.message"].insert(messages.reverse())) {
                thread.addOrReplaceMessage(message);
            }
        }
    } catch {
        // They are there when the conversation is opened again.
    }
}

/** Shows texts that were sent from elsewhere where their conversation is open. */
export const newTextService = {
    dependencies: ["bus_service", "mail.store"],

    start(env, {bus_service: bus, "mail.store": store}) {
        bus.subscribe("sms_inbox/new_text", ({id}) => {
            const thread = store.Thread.get({model: "discuss.channel", id});
            if (thread?.isLoaded) {
                showNewTexts(thread);
            }
        });
    },
};

registry.category("services").add("sms_inbox.new_text", newTextService);

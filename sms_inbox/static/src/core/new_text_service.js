import {refreshQuietly} from "@sms_gateway/core/record_watch_service";
import {registry} from "@web/core/registry";

/** Shows texts that were sent from elsewhere where their conversation is open; they ring nowhere. */
export const newTextService = {
    dependencies: ["bus_service", "mail.store"],

    start(env, {bus_service: bus, "mail.store": store}) {
        bus.subscribe("sms_inbox/new_text", ({id}) => {
            const thread = store.Thread.get({model: "discuss.channel", id});
            if (thread?.isLoaded) {
                refreshQuietly(thread);
            }
        });
    },
};

registry.category("services").add("sms_inbox.new_text", newTextService);

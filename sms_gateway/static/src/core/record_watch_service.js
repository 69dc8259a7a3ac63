import {registry} from "@web/core/registry";
import {delay} from "@web/core/utils/concurrency";

const NOTIFICATION = "sms_gateway/record";
/** Between two looks whether the thread has finished a fetch of its own, in milliseconds. */
const PATIENCE = 50;

/**
 * Run a job at once; whatever asks for it meanwhile gets one more run afterwards.
 *
 * @param {() => Promise<void>} job
 * @returns {() => Promise<void>}
 */
export function coalesce(job) {
    let running = false;
    let again = false;
    return async () => {
        again = true;
        if (running) {
            return;
        }
        running = true;
        try {
            while (again) {
                again = false;
                await job();
            }
        } finally {
            running = false;
        }
    };
}

/**
 * Fetch what changed in a thread, as far as the user may read it: new messages, and what became
 * of the latest ones.
 *
 * @param {import("models").Thread} thread
 */
export async function refreshTexts(thread) {
    const {data, messages} = await thread.fetchMessagesData();
    thread.store.insert(data);
    const newest = thread.newestPersistentMessage?.id ?? 0;
    if (messages.some((id) => id > newest)) {
        while (thread.status === "loading") {
            await delay(PATIENCE);
        }
        await thread.fetchNewMessages();
    }
}

/**
 * Keeps the messages of the records on the screen up to date while texts come and go.
 * The server says that something changed; the content is fetched by the usual, checked way.
 */
export const recordWatchService = {
    dependencies: ["bus_service", "mail.store"],

    start(env, {bus_service: bus, "mail.store": store}) {
        /** @type {Map<string, {viewers: number, refresh: () => Promise<void>}>} */
        const watched = new Map();

        bus.subscribe(NOTIFICATION, ({model, id}) => watched.get(channelOf(model, id))?.refresh());

        function watch(model, id) {
            const channel = channelOf(model, id);
            if (!watched.has(channel)) {
                const refresh = () => refreshQuietly(store.Thread.insert({model, id}));
                watched.set(channel, {viewers: 0, refresh: coalesce(refresh)});
            }
            watched.get(channel).viewers++;
            bus.addChannel(channel);
            return () => unwatch(channel);
        }

        function unwatch(channel) {
            const entry = watched.get(channel);
            entry.viewers--;
            if (!entry.viewers) {
                watched.delete(channel);
            }
            bus.deleteChannel(channel);
        }

        return {
            /**
             * Watch a record until the returned function is called.
             *
             * @param {string} model
             * @param {number} id
             * @returns {() => void}
             */
            watch,
        };
    },
};

registry.category("services").add("sms_gateway.record_watch", recordWatchService);

function channelOf(model, id) {
    return `sms_gateway.record/${model}/${id}`;
}

/**
 * Nobody asked for it, so nobody is told if the record is gone or the line is down.
 *
 * @param {import("models").Thread} thread
 */
export async function refreshQuietly(thread) {
    try {
        await refreshTexts(thread);
    } catch {
        // The next look at the record tells.
    }
}

import {ComposerAction} from "@mail/core/common/composer_actions";
import {MessageAction} from "@mail/core/common/message_actions";
import {ThreadAction} from "@mail/core/common/thread_actions";
import "@mail/discuss/core/common/channel_commands";
import {registry} from "@web/core/registry";
import {patch} from "@web/core/utils/patch";

/** What Discuss offers, and a text cannot: what was sent is sent, and there is nothing but text. */
const UNFIT = new Set([
    // of a conversation
    "advanced-settings",
    "pinned-messages",
    "rename-thread",
    // of a message
    "pin",
    // of the composer
    "add-gif",
    "voice-start",
]);

for (const Action of [ComposerAction, MessageAction, ThreadAction]) {
    patch(Action.prototype, {
        /** @override */
        _condition({composer, thread}) {
            const isSms = (thread ?? composer?.targetThread)?.isSms;
            return isSms && UNFIT.has(this.id) ? false : super._condition(...arguments);
        },
    });
}

/** A text that begins with the name of a command is a text. */
for (const [, command] of registry.category("discuss.channel_commands").getEntries()) {
    patch(command, {
        condition({thread}) {
            return !thread.isSms && (super.condition?.(...arguments) ?? true);
        },
    });
}

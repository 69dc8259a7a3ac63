import {
    fetchHasOpportunities,
    getConversationActions,
} from "@sms_inbox/components/conversation_bar/conversation_actions";
import {Dropdown} from "@web/core/dropdown/dropdown";
import {DropdownItem} from "@web/core/dropdown/dropdown_item";
import {_t} from "@web/core/l10n/translation";
import {useService} from "@web/core/utils/hooks";

import {Component, useState} from "@odoo/owl";

/** Below the customer's name: the numbers, the record, who answers, and what can be done. */
export class ConversationBar extends Component {
    static template = "sms_inbox.ConversationBar";
    static components = {Dropdown, DropdownItem};
    static props = {thread: Object};

    setup() {
        this.services = {
            action: useService("action"),
            orm: useService("orm"),
        };
        this.facts = useState({hasOpportunities: false});
    }

    get conversation() {
        return this.props.thread;
    }

    get groups() {
        return getConversationActions(this.conversation, this.facts);
    }

    async beforeOpen() {
        const {orm} = this.services;
        this.facts.hasOpportunities = await fetchHasOpportunities(this.conversation, orm);
    }

    get waiting() {
        const since = this.conversation.sms_waiting_since;
        return since ? _t("Waiting since %(since)s", {since: since.toRelative()}) : _t("Waiting");
    }

    /** A chat window takes the key to go to the next one; here it goes to the next button. */
    onKeydown(ev) {
        if (ev.key === "Tab") {
            ev.stopPropagation();
        }
    }

    /** @param {import("./conversation_actions").ConversationAction} action */
    run({run}) {
        return run(this.conversation, this.services);
    }

    runById(id) {
        return this.run(this.groups.flat().find((action) => action.id === id));
    }
}

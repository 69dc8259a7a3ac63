import {measure} from "@sms_gateway/core/segments";
import {ConfirmationDialog} from "@web/core/confirmation_dialog/confirmation_dialog";
import {Dropdown} from "@web/core/dropdown/dropdown";
import {DropdownItem} from "@web/core/dropdown/dropdown_item";
import {_t} from "@web/core/l10n/translation";
import {useAutoresize} from "@web/core/utils/autoresize";
import {useService} from "@web/core/utils/hooks";
import {Component, useEffect, useRef, useState} from "@odoo/owl";
import {TextBubble} from "./text_bubble";

const MODES = {
    on: {icon: "fa-power-off text-success", label: _t("Switched on")},
    off: {icon: "fa-power-off text-danger", label: _t("Switched off: texts wait")},
    gone: {icon: "fa-ban text-danger", label: _t("Out of service: texts fail")},
};

/** One telephone: what it received, what its owner answered, and the next answer. */
export class Telephone extends Component {
    static template = "sms_gateway_demo.Telephone";
    static components = {Dropdown, DropdownItem, TextBubble};
    static props = {phone: Object, addresses: Array, failures: Array, onEdit: Function};

    setup() {
        this.orm = useService("orm");
        this.dialog = useService("dialog");
        this.modes = MODES;
        this.state = useState({draft: "", address: null});
        this.input = useRef("input");
        this.texts = useRef("texts");
        useAutoresize(this.input);
        useEffect(
            () => {
                this.texts.el.scrollTop = this.texts.el.scrollHeight;
            },
            () => [this.props.phone.texts.at(-1)?.id, this.props.phone.texts.at(-1)?.state]
        );
    }

    get initials() {
        const words = this.props.phone.name.replace(/[^\p{L}\s]/gu, "").split(/\s+/);
        return words
            .map((word) => word.charAt(0))
            .join("")
            .slice(0, 2)
            .toUpperCase();
    }

    /** The number an answer goes to: the chosen one, else the last that wrote. */
    get address() {
        const addresses = this.props.addresses.map(({address}) => address);
        const last = this.props.phone.texts.findLast((text) => addresses.includes(text.address));
        return this.state.address || last?.address || addresses[0];
    }

    /** Characters left in the last part, and parts, as telephones count them. */
    get counter() {
        const {free, segments} = measure(this.state.draft);
        return segments ? `${free} / ${segments}` : "";
    }

    getSenderName(text) {
        const sender = this.props.addresses.find(({address}) => address === text.address);
        return sender?.name || text.address;
    }

    /** Whether the text's other end is worth telling: it differs from that of the text before. */
    isNewSender(index) {
        const {texts} = this.props.phone;
        return texts[index].address !== texts[index - 1]?.address;
    }

    onChooseAddress(ev) {
        this.state.address = ev.target.value;
    }

    onKeydown(ev) {
        if (ev.key === "Enter" && !ev.shiftKey && !ev.isComposing) {
            ev.preventDefault();
            this.send();
        }
    }

    /** Text Odoo; the draft comes back if that fails. */
    async send() {
        const body = this.state.draft.trim();
        if (!body) {
            return;
        }
        const args = [[this.props.phone.id], body, this.address || null];
        this.setDraft("");
        try {
            await this.orm.call("sms.demo.phone", "action_answer", args);
        } catch (error) {
            this.setDraft(body);
            throw error;
        }
        this.input.el.focus();
    }

    /** Also where what was typed since the last rendering is not known to the template. */
    setDraft(draft) {
        this.state.draft = draft;
        this.input.el.value = draft;
    }

    setMode(mode) {
        return this.orm.write("sms.demo.phone", [this.props.phone.id], {mode});
    }

    clear() {
        return this.orm.call("sms.demo.phone", "action_clear", [[this.props.phone.id]]);
    }

    remove() {
        this.dialog.add(ConfirmationDialog, {
            title: _t("Remove this telephone?"),
            body: _t("Its texts go with it. Odoo keeps its own copies."),
            confirmLabel: _t("Remove"),
            confirm: () => this.orm.unlink("sms.demo.phone", [this.props.phone.id]),
            cancel: () => {},
        });
    }
}

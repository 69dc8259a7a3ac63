import {Telephone} from "@sms_gateway_demo/telephones/telephone";
import {_t} from "@web/core/l10n/translation";
import {useService} from "@web/core/utils/hooks";
import {Component, onWillUnmount} from "@odoo/owl";

/** A call on a telephone: it rings, then speaks and waits for a key. */
export class VoiceCall extends Component {
    static template = "sms_callback_notify_demo.VoiceCall";
    static props = {call: Object};

    setup() {
        this.orm = useService("orm");
        onWillUnmount(() => this.fallSilent());
    }

    /** The keys that mean something, each with what it means. */
    get keys() {
        const {keep_key, cancel_key} = this.props.call;
        return [
            {key: keep_key, label: _t("Keep my place"), style: "btn-success"},
            {key: cancel_key, label: _t("Cancel"), style: "btn-danger"},
        ].filter(({key}) => key);
    }

    /** Take the call; it speaks in the browser where somebody takes it. */
    answer() {
        this.speak();
        return this.act("action_answer");
    }

    press(key) {
        this.fallSilent();
        return this.act("action_press", key);
    }

    hangUp() {
        this.fallSilent();
        return this.act("action_hang_up");
    }

    act(method, ...args) {
        return this.orm.call("sms.demo.voice", method, [[this.props.call.id], ...args]);
    }

    speak() {
        if (window.speechSynthesis) {
            const words = new SpeechSynthesisUtterance(this.props.call.body);
            words.lang = this.props.call.lang;
            this.fallSilent();
            this.isSpeaking = true;
            window.speechSynthesis.speak(words);
        }
    }

    /** Another telephone may speak meanwhile: only what this one says ends. */
    fallSilent() {
        if (this.isSpeaking) {
            this.isSpeaking = false;
            window.speechSynthesis.cancel();
        }
    }
}

Telephone.components = {...Telephone.components, VoiceCall};

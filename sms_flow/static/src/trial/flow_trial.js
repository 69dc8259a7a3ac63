import {_t} from "@web/core/l10n/translation";
import {RecordSelector} from "@web/core/record_selectors/record_selector";
import {registry} from "@web/core/registry";
import {Mutex} from "@web/core/utils/concurrency";
import {useService} from "@web/core/utils/hooks";
import {Layout} from "@web/search/layout";
import {standardActionServiceProps} from "@web/webclient/actions/action_service";
import {Component, onWillStart, useEffect, useRef, useState} from "@odoo/owl";
import {FlowPicture} from "../picture/flow_picture";

const {DateTime} = luxon;

const HOUR = 60;
const DAY = 24 * HOUR;
const ICONS = {
    move: "fa-arrow-right",
    action: "fa-bolt",
    attention: "fa-exclamation-triangle",
    end: "fa-flag-checkered",
};
const DUE = {
    reminder: {icon: "fa-clock-o", label: _t("Next reminder")},
    expiry: {icon: "fa-hourglass-end", label: _t("Give up")},
};

/**
 * A dry run of a flow: the picture, and the telephone of a customer who is not there.
 *
 * What was done so far is a script; each time it is played from its beginning by the real engine,
 * which forgets it at once.
 */
export class FlowTrial extends Component {
    static template = "sms_flow.FlowTrial";
    static components = {FlowPicture, Layout, RecordSelector};
    static props = {...standardActionServiceProps};

    setup() {
        this.orm = useService("orm");
        this.display = {controlPanel: {}};
        this.icons = ICONS;
        this.minutes = {hour: HOUR, day: DAY};
        this.flowId = this.props.action.context.active_id;
        this.state = useState({trial: null, script: [], startedAt: false, resId: false, draft: ""});
        this.mutex = new Mutex();
        this.input = useRef("input");
        this.texts = useRef("texts");
        onWillStart(async () => {
            await this.restart();
            this.env.config.setDisplayName(_t("Try: %s", this.trial.flow.name));
        });
        useEffect(
            () => {
                this.texts.el.scrollTop = this.texts.el.scrollHeight;
            },
            () => [this.state.trial]
        );
    }

    // What is shown -------------------------------------------------------------------------

    get trial() {
        return this.state.trial;
    }

    get clock() {
        const moment = DateTime.fromSQL(this.trial.clock);
        return {
            time: moment.toLocaleString(DateTime.TIME_SIMPLE),
            day: moment.toLocaleString({weekday: "short", day: "numeric", month: "short"}),
        };
    }

    /** The transcript, with the day where it is another than before. */
    get lines() {
        return this.trial.transcript.map((line, index, lines) => {
            const moment = DateTime.fromSQL(line.at);
            const before = index && DateTime.fromSQL(lines[index - 1].at);
            return {
                ...line,
                index,
                time: moment.toLocaleString(DateTime.TIME_SIMPLE),
                day: before && before.hasSame(moment, "day") ? "" : formatDay(moment),
            };
        });
    }

    /** What happens next by itself. */
    get due() {
        const {next} = this.trial;
        return next && {...DUE[next.kind], moment: formatMoment(DateTime.fromSQL(next.at))};
    }

    get clockTitle() {
        return _t("The customer's clock (%s)", this.trial.tz);
    }

    /** Where a record stands before anything is tried. */
    get standsWords() {
        const {step} = this.trial;
        return step ? _t("It stands in %s. Answer, or let time go by.", step.name) : "";
    }

    getAnswerTitle({target}) {
        return _t("Leads to %s", target);
    }

    get samplePlaceholder() {
        return _t("Sample customer");
    }

    // What is done --------------------------------------------------------------------------

    /**
     * Play a script; one at a time.
     *
     * @param {function(object[]): object[]} change makes the next script of the present one
     */
    play(change) {
        return this.mutex.exec(async () => {
            const {resId, startedAt} = this.state;
            const script = change(this.state.script);
            const trial = await this.orm.call("sms.flow", "get_trial", [[this.flowId]], {
                script,
                res_id: resId,
                started_at: startedAt,
            });
            Object.assign(this.state, {trial, script, startedAt: trial.started_at});
        });
    }

    add(move) {
        return this.play((script) => [...script, move]);
    }

    /** From the first step; a record that stands in the flow goes on from there. */
    async restart() {
        this.state.startedAt = false;
        await this.play(() => (this.state.resId ? [] : [{type: "start", step_id: false}]));
        if (this.trial.state !== "active" && !this.trial.transcript.length) {
            await this.add({type: "start", step_id: false});
        }
    }

    start(step) {
        return this.add({type: "start", step_id: step.id});
    }

    wait(minutes) {
        return this.add({type: "wait", minutes});
    }

    waitUntilDue() {
        return this.add({type: "until_due"});
    }

    async answer(text) {
        await this.add({type: "reply", text});
        this.input.el?.focus();
    }

    send() {
        const text = this.state.draft.trim();
        if (text) {
            this.state.draft = "";
            return this.answer(text);
        }
        return undefined;
    }

    onKeydown(ev) {
        if (ev.key === "Enter" && !ev.isComposing) {
            ev.preventDefault();
            this.send();
        }
    }

    onChooseRecord(resId) {
        this.state.resId = resId || false;
        return this.restart();
    }
}

function formatDay(moment) {
    return moment.toLocaleString({weekday: "long", day: "numeric", month: "long"});
}

function formatMoment(moment) {
    return moment.toLocaleString({
        weekday: "short",
        day: "numeric",
        month: "short",
        hour: "numeric",
        minute: "2-digit",
    });
}

registry.category("actions").add("sms_flow_trial", FlowTrial);

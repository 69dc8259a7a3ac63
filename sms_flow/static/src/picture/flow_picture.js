import {deserializeDateTime, formatDateTime} from "@web/core/l10n/dates";
import {localization} from "@web/core/l10n/localization";
import {_t} from "@web/core/l10n/translation";
import {Component, onMounted, onWillUnmount, useRef, useState} from "@odoo/owl";
import {layoutFlow} from "./layout";

/** Narrower than this, the flow goes down. */
const NARROW = 640;
/** A picture wider than its place is made smaller, as long as one can read it; then it scrolls. */
const SMALLEST = 0.72;

/** A flow as a picture: its steps as boxes, what leads from one to the next as arrows. */
export class FlowPicture extends Component {
    static template = "sms_flow.FlowPicture";
    static props = {
        picture: Object,
        /** What a click on a box does, with the step; without it boxes are no buttons. */
        onSelect: {type: Function, optional: true},
        selectTitle: {type: String, optional: true},
        hideCounts: {type: Boolean, optional: true},
    };

    setup() {
        this.root = useRef("root");
        this.place = useState({width: 0});
        const observer = new ResizeObserver(() => this.measure());
        onMounted(() => {
            this.measure();
            observer.observe(this.root.el);
        });
        onWillUnmount(() => observer.disconnect());
    }

    measure() {
        this.place.width = this.root.el?.clientWidth || 0;
    }

    get direction() {
        return this.place.width && this.place.width < NARROW ? "down" : "right";
    }

    /** What is drawn, with all that the template asks for. */
    get drawing() {
        const {steps, arrows, path} = this.props.picture;
        const been = path || {steps: {}, arrows: {}};
        const {width, height, ...drawn} = layoutFlow(steps, arrows, {
            direction: this.direction,
            isRightToLeft: localization.direction === "rtl",
        });
        const scale = Math.min(1, Math.max(SMALLEST, this.place.width / width || 1));
        const byId = new Map([...steps, ...arrows].map((item) => [item.id, item]));
        return {
            path,
            outer: `width:${width * scale}px;height:${height * scale}px`,
            // here, for a style sheet is mirrored where one reads from right to left
            inner:
                `left:0;top:0;width:${width}px;height:${height}px;` +
                `transform:scale(${scale});transform-origin:0 0`,
            viewBox: `0 0 ${width} ${height}`,
            boxes: drawn.boxes.map((box) => ({
                step: byId.get(box.id),
                style: toStyle(box),
                visits: been.steps[box.id] || [],
                isCurrent: been.current === box.id,
            })),
            arrows: drawn.arrows.map((arrow) => ({
                ...byId.get(arrow.id),
                ...arrow,
                style: toStyle(arrow.words),
                label: byId.get(arrow.id).words,
                isLit: arrow.id in been.arrows,
            })),
        };
    }

    getBoxClass({step, visits, isCurrent}) {
        return {
            o_sms_flow_final: step.is_final,
            o_sms_flow_silent: !step.text,
            o_sms_flow_visited: visits.length > 0,
            o_sms_flow_current: isCurrent,
        };
    }

    getArrowClass(arrow) {
        return `o_sms_flow_arrow_${arrow.kind} ${arrow.isLit ? "o_sms_flow_lit" : ""}`;
    }

    getArrowTitle({kind, label}) {
        return {
            reply: _t("Answer: %s", label),
            expiry: _t("No answer within %s", label),
            action: _t("Action: %s", label),
            jump: label,
        }[kind];
    }

    getRemindersTitle({reminders}) {
        return _t("Reminders after %s", reminders.join(", "));
    }

    getExpiryTitle({expires}) {
        return _t("Given up after %s", expires);
    }

    getVisitsTitle(visits) {
        return visits.map((moment) => formatDateTime(deserializeDateTime(moment))).join("\n");
    }

    get unreachableWords() {
        return this.props.picture.model === "crm.lead"
            ? _t("No answer leads here: only the stage, set by somebody")
            : _t("No answer leads here: only somebody who puts them here");
    }
}

function toStyle({x, y, width, height}) {
    return `left:${x}px;top:${y}px;width:${width}px;height:${height}px`;
}

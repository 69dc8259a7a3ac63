import {describe, expect, test} from "@odoo/hoot";
import {click, press, queryAllTexts} from "@odoo/hoot-dom";
import {animationFrame, advanceTime} from "@odoo/hoot-mock";
import {defineSMSModels} from "@sms/../tests/sms_test_helpers";
import {
    contains,
    defineModels,
    fields,
    models,
    mountView,
    mountWithCleanup,
    onRpc,
} from "@web/../tests/web_test_helpers";
import {FlowPicture} from "@sms_flow/picture/flow_picture";

describe.current.tags("desktop");
defineSMSModels();

class Flow extends models.Model {
    _name = "sms.flow";
    name = fields.Char();
    _records = [{id: 1, name: "Heat pumps"}];
    _views = {form: `<form><field name="name"/><widget name="sms_flow_picture"/></form>`};
}
class Run extends models.Model {
    _name = "sms.flow.run";
    flow_id = fields.Many2one({relation: "sms.flow"});
    _records = [{id: 5, flow_id: 1}];
    _views = {form: `<form><field name="flow_id"/><widget name="sms_flow_picture"/></form>`};
}
class Step extends models.Model {
    _name = "sms.flow.step";
    name = fields.Char();
    flow_id = fields.Many2one({relation: "sms.flow"});
    _records = [
        {id: 1, name: "Sale"},
        {id: 2, name: "Confirmed"},
    ];
    _views = {form: `<form><field name="name"/></form>`};
}
defineModels([Flow, Run, Step]);

const step = (values) => ({
    stage: false,
    text: "",
    reminders: [],
    expires: false,
    actions: [],
    count: 0,
    attention: 0,
    is_final: false,
    is_dead_end: false,
    is_in_loop: false,
    is_unreachable: false,
    ...values,
});
const picture = (values = {}) => ({
    id: 1,
    model: "crm.lead",
    is_running: true,
    can_edit: true,
    path: false,
    steps: [
        step({id: 1, name: "Sale", text: "Do you want it?", count: 7, reminders: ["2 hours"]}),
        step({id: 2, name: "Confirmed", is_final: true}),
    ],
    arrows: [{id: "reply-9", kind: "reply", source: 1, target: 2, words: "JA, ja takk"}],
    ...values,
});
const BOX = ".o_sms_flow_box";

test("steps are boxes with their counts, answers are arrows with their words", async () => {
    await mountWithCleanup(FlowPicture, {props: {picture: picture()}});
    expect(BOX).toHaveCount(2);
    expect(`${BOX}[data-step='1'] .o_sms_flow_name`).toHaveText("Sale");
    expect(`${BOX}[data-step='1'] .o_sms_flow_text`).toHaveText("Do you want it?");
    expect(`${BOX}[data-step='1'] .o_sms_flow_count`).toHaveText("7");
    expect(`${BOX}[data-step='1'] .o_sms_flow_reminders`).toHaveText("2 hours");
    expect(`${BOX}[data-step='2'] .o_sms_flow_text`).toHaveText("No text is sent");
    expect(queryAllTexts(".o_sms_flow_words")).toEqual(["JA, ja takk"]);
    expect(".o_sms_flow_line").toHaveCount(1);
});

test("dead ends, loops and what nothing leads to are marked", async () => {
    const steps = [
        step({id: 1, name: "A", is_dead_end: true}),
        step({id: 2, name: "B", is_in_loop: true}),
        step({id: 3, name: "C", is_unreachable: true}),
    ];
    await mountWithCleanup(FlowPicture, {props: {picture: picture({steps, arrows: []})}});
    expect(queryAllTexts(`${BOX} .o_sms_flow_facts`)).toEqual(["Dead end", "Loop", "By hand"]);
});

test("the path of a record is lit", async () => {
    const path = {
        current: 2,
        steps: {1: ["2026-01-12 09:30:00", "2026-01-12 10:30:00"], 2: ["2026-01-12 11:30:00"]},
        arrows: {"reply-9": ["2026-01-12 11:30:00"]},
    };
    await mountWithCleanup(FlowPicture, {props: {picture: picture({path})}});
    expect(`${BOX}.o_sms_flow_visited`).toHaveCount(2);
    expect(`${BOX}.o_sms_flow_current`).toHaveAttribute("data-step", "2");
    expect(`${BOX}[data-step='1'] .o_sms_flow_visits`).toHaveText("×2");
    expect("g.o_sms_flow_lit").toHaveCount(1);
});

test("boxes are buttons, for the mouse and the keyboard", async () => {
    const onSelect = ({name}) => expect.step(name);
    await mountWithCleanup(FlowPicture, {props: {picture: picture(), onSelect}});
    await click(`${BOX}[data-step='1']`);
    await press("Tab");
    await press("Enter");
    expect.verifySteps(["Sale", "Confirmed"]);
});

test("in the form of a flow, a box opens its step; then the picture is drawn anew", async () => {
    onRpc("sms.flow", "get_picture", ({args}) => {
        expect.step(args);
        return picture();
    });
    await mountView({type: "form", resModel: "sms.flow", resId: 1});
    expect.verifySteps([[[1]]]);
    await contains(`${BOX}[data-step='1']`).click();
    await contains(".modal .o_field_widget[name=name] input").edit("Sales");
    await contains(".modal .o_form_button_save").click();
    expect(".modal").toHaveCount(0);
    expect.verifySteps([[[1]]]);
});

test("what was changed in the form is saved before a step is opened", async () => {
    onRpc("sms.flow", "get_picture", () => picture());
    onRpc("sms.flow", "web_save", ({args}) => expect.step(args[1].name));
    await mountView({type: "form", resModel: "sms.flow", resId: 1});
    await contains("[name=name] input").edit("Pumps");
    await contains(`${BOX}[data-step='1']`).click();
    await contains(".modal .o_form_view").focus();
    expect.verifySteps(["Pumps"]);
});

test("who may not change the flow looks at its steps", async () => {
    onRpc("sms.flow", "get_picture", () => picture({can_edit: false}));
    await mountView({type: "form", resModel: "sms.flow", resId: 1});
    expect(".o_sms_flow_add_step").toHaveCount(0);
    await contains(`${BOX}[data-step='1']`).click();
    await contains(".modal .o_form_readonly").focus();
    expect(".modal .o_field_widget[name=name] input").toHaveCount(0);
});

test("counts are read again while somebody looks", async () => {
    let count = 1;
    onRpc("sms.flow", "get_picture", () => picture({steps: [step({id: 1, name: "A", count})]}));
    await mountView({type: "form", resModel: "sms.flow", resId: 1});
    expect(".o_sms_flow_count").toHaveText("1");
    count = 2;
    await advanceTime(15000);
    await animationFrame();
    expect(".o_sms_flow_count").toHaveText("2");
});

test("on a record in a flow it shows the path and changes nothing", async () => {
    onRpc("sms.flow", "get_picture", ({args}) => {
        expect.step(args);
        return picture();
    });
    await mountView({type: "form", resModel: "sms.flow.run", resId: 5});
    expect.verifySteps([[[1], 5]]);
    expect(`button${BOX}`).toHaveCount(0);
    expect(BOX).toHaveCount(2);
    expect(".o_sms_flow_add_step").toHaveCount(0);
});

test("a flow without steps says what to do", async () => {
    let steps = [];
    onRpc("sms.flow", "get_picture", () => picture({steps, arrows: []}));
    onRpc("sms.flow", "action_add_stages", ({args}) => {
        expect.step(args);
        steps = picture().steps;
        return false;
    });
    await mountView({type: "form", resModel: "sms.flow", resId: 1});
    await contains(".o_sms_flow_add_stages").click();
    expect.verifySteps([[[1]]]);
    await animationFrame();
    expect(BOX).toHaveCount(2);
});

test("a flow that is not saved has no picture", async () => {
    await mountView({type: "form", resModel: "sms.flow"});
    expect(".o_sms_flow_empty").toHaveText("Save the flow; then its steps are drawn here.");
});

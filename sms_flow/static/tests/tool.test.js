import {defineMailModels} from "@mail/../tests/mail_test_helpers";
import {beforeEach, describe, expect, test} from "@odoo/hoot";
import {animationFrame} from "@odoo/hoot-mock";
import {
    clickSave,
    contains,
    defineModels,
    fields,
    mockService,
    models,
    mountView,
    onRpc,
    patchWithCleanup,
} from "@web/../tests/web_test_helpers";
import {session} from "@web/session";

describe.current.tags("desktop");

class Offer extends models.Model {
    _name = "offer";
    name = fields.Char();
    _records = [
        {id: 1, name: "First"},
        {id: 2, name: "Second"},
    ];
}
defineMailModels();
defineModels([Offer]);

const FORM = "<form><header><button name='win' string='Win'/></header><field name='name'/></form>";
const BUTTON = ".o_statusbar_buttons .o_sms_tool";
const ITEM = ".o-dropdown--menu .o_sms_tool";
const ON_ITS_WAY = {id: 7, name: "On its way", icon: "fa-truck", description: "When it leaves"};
let visible = [];

beforeEach(() => {
    visible = [ON_ITS_WAY];
    patchWithCleanup(session, {sms_tool_models: ["offer"]});
    onRpc("sms.tool", "get_visible", ({args}) => {
        expect.step(["see", ...args]);
        return visible;
    });
    onRpc("sms.tool", "run", ({args}) => {
        expect.step(["run", ...args]);
        return {type: "ir.actions.act_window_close"};
    });
    mockService("action", {doAction: (action) => expect.step(action.type)});
});

const openForm = (options = {}) =>
    mountView({type: "form", resModel: "offer", resId: 1, arch: FORM, ...options});

const openList = () =>
    mountView({
        type: "list",
        resModel: "offer",
        arch: "<list><field name='name'/></list>",
        loadActionMenus: true,
    });

test("R160: a button in the status bar of the form, with its picture and description", async () => {
    await openForm();
    await animationFrame();
    expect(BUTTON).toHaveText("On its way");
    expect(BUTTON).toHaveAttribute("title", "When it leaves");
    expect(`${BUTTON} .fa-truck`).toHaveCount(1);
    expect.verifySteps([["see", "offer", [1]]]);
});

test("R160: pressed, the tool runs on the record and the form is loaded again", async () => {
    await openForm();
    await contains(BUTTON).click();
    await animationFrame();
    expect.verifySteps([
        ["see", "offer", [1]],
        ["run", [7], [1]],
        "ir.actions.act_window_close",
        ["see", "offer", [1]],
    ]);
});

test("pressed twice it runs once", async () => {
    await openForm();
    await animationFrame();
    const button = document.querySelector(BUTTON);
    button.click();
    button.click();
    await animationFrame();
    await animationFrame();
    expect.verifySteps([
        ["see", "offer", [1]],
        ["run", [7], [1]],
        "ir.actions.act_window_close",
        ["see", "offer", [1]],
    ]);
});

test("R162: after a change has been saved the buttons are those that match now", async () => {
    await openForm();
    await animationFrame();
    visible = [];
    await contains("[name=name] input").edit("Third");
    expect(BUTTON).toHaveCount(1, {message: "what is typed is not yet so"});
    await clickSave();
    await animationFrame();
    expect(BUTTON).toHaveCount(0);
    expect.verifySteps([
        ["see", "offer", [1]],
        ["see", "offer", [1]],
    ]);
});

test("many tools share one menu", async () => {
    visible = [1, 2, 3].map((id) => ({...ON_ITS_WAY, id, name: `Tool ${id}`}));
    await openForm();
    await contains(".o_statusbar_buttons .o_sms_tool_menu").click();
    expect(ITEM).toHaveCount(3);
    await contains(`${ITEM}:contains(Tool 2)`).click();
    await animationFrame();
    expect.verifySteps([
        ["see", "offer", [1]],
        ["run", [2], [1]],
        "ir.actions.act_window_close",
        ["see", "offer", [1]],
    ]);
});

test("nothing on a record that is not saved", async () => {
    await openForm({resId: undefined});
    await animationFrame();
    expect(BUTTON).toHaveCount(0);
    expect.verifySteps([]);
});

test("on models without tools nothing is asked", async () => {
    patchWithCleanup(session, {sms_tool_models: ["task"]});
    await openForm();
    await animationFrame();
    expect(BUTTON).toHaveCount(0);
    expect.verifySteps([]);
});

test("R160: in the action menu of a list for what is selected, after a question", async () => {
    await openList();
    await contains(".o_data_row:eq(0) .o_list_record_selector input").click();
    await contains(".o_data_row:eq(1) .o_list_record_selector input").click();
    expect.verifySteps([], {message: "asked for when the menu opens"});
    await contains(".o_cp_action_menus .dropdown-toggle:contains(Actions)").click();
    expect.verifySteps([["see", "offer", [1, 2]]]);
    await contains(`${ITEM}:contains(On its way)`).click();
    expect(".modal-body").toHaveText(
        "Each of the 2 selected records that matches gets a text now."
    );
    await contains(".modal-footer .btn-primary").click();
    await animationFrame();
    expect.verifySteps([["run", [7], [1, 2]], "ir.actions.act_window_close"]);
});

test("in the action menu of a form, for one record without a question", async () => {
    await openForm({loadActionMenus: true});
    await contains(".o_cp_action_menus .fa-cog").click();
    await contains(`${ITEM}:contains(On its way)`).click();
    await animationFrame();
    expect.verifySteps([
        ["see", "offer", [1]],
        ["see", "offer", [1]],
        ["run", [7], [1]],
        "ir.actions.act_window_close",
        ["see", "offer", [1]],
    ]);
});

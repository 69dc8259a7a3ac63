import {beforeEach, describe, expect, test} from "@odoo/hoot";
import {press, queryAllTexts} from "@odoo/hoot-dom";
import {animationFrame} from "@odoo/hoot-mock";
import {defineSMSModels} from "@sms/../tests/sms_test_helpers";
import {
    contains,
    defineModels,
    fields,
    getService,
    models,
    mountWithCleanup,
    onRpc,
} from "@web/../tests/web_test_helpers";
import {WebClient} from "@web/webclient/webclient";

describe.current.tags("desktop");
defineSMSModels();

class Lead extends models.Model {
    _name = "crm.lead";
    name = fields.Char();
    _records = [{id: 3, name: "Roof"}];
}
defineModels([Lead]);

const START = {type: "start", step_id: false};
const BUBBLE = ".o_sms_flow_bubble";
let transcript;
let next;

const line = (values) => ({at: "2026-01-12 10:30:00", words: false, ...values});

beforeEach(() => {
    transcript = [
        line({who: "note", kind: "move", words: "By hand", step: "Sale"}),
        line({who: "us", kind: "text", body: "Do you want it?", step: "Sale"}),
    ];
    next = {at: "2026-01-12 12:30:00", kind: "reminder"};
    onRpc("sms.flow", "get_trial", ({args, kwargs}) => {
        expect.step([args[0][0], kwargs.script, kwargs.res_id, kwargs.started_at]);
        return {
            transcript,
            customer: {name: "Anna Hansen", number: "+4791234567"},
            clock: "2026-01-12 10:30:00",
            tz: "Europe/Oslo",
            started_at: "2026-01-12 09:30:00",
            step: {id: 1, name: "Sale"},
            state: "active",
            next,
            answers: [{words: "JA", target: "Confirmed"}],
            can_answer: true,
            hints: [],
            flow: {name: "Heat pumps", model: "crm.lead", domain: []},
            picture: {id: 1, model: "crm.lead", steps: [], arrows: [], path: false},
        };
    });
});

async function openTrial() {
    await mountWithCleanup(WebClient);
    await getService("action").doAction({
        type: "ir.actions.client",
        tag: "sms_flow_trial",
        context: {active_id: 1},
    });
}

test("it begins with a sample customer in the first step", async () => {
    await openTrial();
    expect.verifySteps([[1, [START], false, false]]);
    expect(BUBBLE).toHaveText(/Do you want it\?/);
    expect(queryAllTexts(".o_sms_flow_note")).toEqual(["Sale · By hand"]);
    expect(".o_sms_flow_phone header").toHaveText(/Anna Hansen/);
    expect(".o_sms_flow_clock").toHaveText(/10:30 AM\s+Mon, Jan 12/);
});

test("an answer is typed and sent with Enter, and the whole script is played again", async () => {
    await openTrial();
    await contains(".o_sms_flow_phone input").edit("Ja takk", {confirm: false});
    transcript = [...transcript, line({who: "customer", kind: "answer", body: "Ja takk"})];
    await press("Enter");
    await animationFrame();
    expect.verifySteps([
        [1, [START], false, false],
        [1, [START, {type: "reply", text: "Ja takk"}], false, "2026-01-12 09:30:00"],
    ]);
    expect(`${BUBBLE}[data-who=customer] .o_sms_flow_body`).toHaveText("Ja takk");
    expect(".o_sms_flow_phone input").toHaveValue("");
    expect(".o_sms_flow_phone input").toBeFocused();
});

test("an empty answer is none", async () => {
    await openTrial();
    await contains(".o_sms_flow_send").click();
    expect.verifySteps([[1, [START], false, false]]);
});

test("the words that are listened to are buttons", async () => {
    await openTrial();
    await contains(".o_sms_flow_answers button:contains(JA)").click();
    expect.verifySteps([
        [1, [START], false, false],
        [1, [START, {type: "reply", text: "JA"}], false, "2026-01-12 09:30:00"],
    ]);
});

test("time goes by when somebody lets it", async () => {
    await openTrial();
    await contains(".o_sms_flow_time button:contains(+1 day)").click();
    await contains(".o_sms_flow_next").click();
    const waited = [START, {type: "wait", minutes: 1440}];
    expect.verifySteps([
        [1, [START], false, false],
        [1, waited, false, "2026-01-12 09:30:00"],
        [1, [...waited, {type: "until_due"}], false, "2026-01-12 09:30:00"],
    ]);
});

test("where nothing is due there is nothing to wait for", async () => {
    next = false;
    await openTrial();
    expect(".o_sms_flow_next").not.toBeEnabled();
    expect(".o_sms_flow_next").toHaveText("Nothing is due");
    expect.verifySteps([[1, [START], false, false]]);
});

test("starting again forgets what was done, and takes the time that it is", async () => {
    await openTrial();
    await contains(".o_sms_flow_time button:contains(+1 hour)").click();
    await contains(".o_sms_flow_restart").click();
    expect.verifySteps([
        [1, [START], false, false],
        [1, [START, {type: "wait", minutes: 60}], false, "2026-01-12 09:30:00"],
        [1, [START], false, false],
    ]);
});

test("a record that stands in the flow goes on from there", async () => {
    await openTrial();
    await contains(".o_sms_flow_trial_record input").click();
    await contains(".o-autocomplete--dropdown-item:contains(Roof)").click();
    expect.verifySteps([
        [1, [START], false, false],
        [1, [], 3, false],
    ]);
});

test("a day is named where it begins, and what is refused says why", async () => {
    transcript.push(
        line({
            at: "2026-01-13 09:00:00",
            who: "us",
            kind: "refused",
            body: "Hi",
            words: "Empty or unknown merge field",
        })
    );
    await openTrial();
    expect(queryAllTexts(".o_sms_flow_day")).toEqual(["Monday, January 12", "Tuesday, January 13"]);
    expect(`${BUBBLE}[data-kind=refused] .o_sms_flow_meta`).toHaveText(
        /Would not be sent: Empty or unknown merge field/
    );
    expect.verifySteps([[1, [START], false, false]]);
});

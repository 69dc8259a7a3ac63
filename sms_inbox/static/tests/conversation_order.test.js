import {describe, expect, test} from "@odoo/hoot";
import {compareConversations} from "@sms_inbox/core/conversation_order";

const {DateTime} = luxon;

describe.current.tags("headless");

const at = (hour) => DateTime.fromObject({year: 2026, month: 3, day: 1, hour});
const order = (...conversations) => conversations.sort(compareConversations).map(({id}) => id);

test("R127: who waits for an answer comes first", () => {
    expect(
        order(
            {id: 1, sms_state: "answered", lastInterestDt: at(12)},
            {id: 2, sms_state: "done", lastInterestDt: at(11)},
            {id: 3, sms_state: "waiting", lastInterestDt: at(8)}
        )
    ).toEqual([3, 1, 2]);
});

test("the newest comes first among those that wait, and among the others", () => {
    expect(
        order(
            {id: 1, sms_state: "waiting", lastInterestDt: at(8)},
            {id: 2, sms_state: "waiting", lastInterestDt: at(9)},
            {id: 3, sms_state: "done", lastInterestDt: at(10)},
            {id: 4, sms_state: "answered", lastInterestDt: at(11)}
        )
    ).toEqual([2, 1, 4, 3]);
});

test("of two that are equally new the one begun later comes first", () => {
    expect(
        order(
            {id: 1, sms_state: "answered", lastInterestDt: at(8)},
            {id: 2, sms_state: "answered", lastInterestDt: at(8)},
            {id: 3, sms_state: "answered"}
        )
    ).toEqual([2, 1, 3]);
});

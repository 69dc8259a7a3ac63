import {registry} from "@web/core/registry";

const PHONE = ".o_sms_demo_phone[aria-label=Tour]";

registry.category("web_tour.tours").add("sms_gateway_demo_telephones", {
    steps: () => [
        {
            content: "Find the telephone",
            trigger: ".o_sms_demo_search input",
            run: "edit Tour",
        },
        {
            content: "The text waits for a key: deliver it",
            trigger: `${PHONE} .o_sms_demo_undecided:contains(Are you there?) .o_sms_demo_key_deliver`,
            run: "click",
        },
        {
            content: "It is delivered, without a reload",
            trigger: `${PHONE} .o_sms_demo_received[data-state=delivered]`,
        },
        {
            content: "Answer as the customer",
            trigger: `${PHONE} textarea`,
            run: "edit Yes, I am!",
        },
        {
            trigger: `${PHONE} textarea`,
            run: "press Enter",
        },
        {
            content: "The answer is on its way to Odoo",
            trigger: `${PHONE} .o_sms_demo_text:not(.o_sms_demo_received):contains(Yes, I am!)`,
        },
        {
            content: "The draft is gone",
            trigger: `${PHONE} textarea`,
            run({anchor}) {
                if (anchor.value) {
                    throw new Error(`The draft still holds ${anchor.value}`);
                }
            },
        },
        {
            content: "Switch the telephone off",
            trigger: `${PHONE} .o_sms_demo_menu`,
            run: "click",
        },
        {
            trigger: ".o-dropdown-item:contains(Switched off)",
            run: "click",
        },
        {
            trigger: `${PHONE}.o_sms_demo_dark`,
        },
        {
            content: "Make some mischief",
            trigger: ".o_sms_demo_carrier:contains(Tour carrier) .o_sms_demo_mischief_button",
            run: "click",
        },
        {
            trigger: ".o_sms_demo_mischief input[name=fail_rate]",
            run: "edit 25 && press Enter",
        },
        {
            trigger: ".o_sms_demo_carrier:contains(Tour carrier) .badge:contains(25)",
        },
    ],
});

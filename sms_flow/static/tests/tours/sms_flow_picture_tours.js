import {registry} from "@web/core/registry";

const tours = registry.category("web_tour.tours");

const box = (name) => `.o_sms_flow_box:has(.o_sms_flow_name:contains('${name}'))`;
const PHONE = ".o_sms_flow_phone";
const said = (who, text) => `${PHONE} .o_sms_flow_bubble[data-who=${who}]:contains('${text}')`;

/** The manager: looks at the picture, changes a text in it, and tries the flow. */
tours.add("sms_flow_picture", {
    steps: () => [
        {
            content: "A step shows its text, its reminder and who stands there",
            trigger: `${box("Sale")}:contains(do you want it):contains(2 hours) .o_sms_flow_count:contains(1)`,
        },
        {trigger: `${box("Sale")}:contains(Loop)`},
        {trigger: `${box("Paper")}:contains(Dead end)`},
        {
            content: "Answers are arrows with their words",
            trigger: ".o_sms_flow_words:contains(JA, ja takk)",
        },
        {content: "A box opens its step", trigger: box("Confirmed"), run: "click"},
        {
            trigger: ".modal .o_field_widget[name=body] textarea",
            run: "edit Thank you for your order",
        },
        {trigger: ".modal .o_form_button_save", run: "click"},
        {
            content: "The picture tells it at once",
            trigger: `body:not(:has(.modal)) ${box("Confirmed")}:contains(Thank you for your order)`,
        },
        {trigger: "button[name=action_try]", run: "click"},
        {trigger: said("us", "Hi Anna Hansen, do you want it?")},
        {trigger: `${box("Sale")}.o_sms_flow_current`},
        {
            content: "The reminder comes when the clock is moved to it",
            trigger: `${PHONE} .o_sms_flow_next:contains(Next reminder)`,
            run: "click",
        },
        {trigger: said("us", "Reminder: Hi Anna Hansen")},
        {trigger: `${PHONE} input`, run: "edit Ja takk!"},
        {trigger: `${PHONE} input`, run: "press Enter"},
        {trigger: said("customer", "Ja takk!")},
        {trigger: said("us", "Thank you for your order")},
        {trigger: `${PHONE} .o_sms_flow_note[data-kind=end]`},
        {
            content: "The path is lit",
            trigger: `${box("Confirmed")}.o_sms_flow_current:contains(Thank you)`,
        },
        {trigger: ".o_sms_flow_words.o_sms_flow_lit:contains(JA)"},
        {
            content: "A box puts the customer into its step",
            trigger: box("Which day"),
            run: "click",
        },
        {trigger: said("us", "Text of Which day")},
        {trigger: `${PHONE} .o_sms_flow_restart`, run: "click"},
        {trigger: `${PHONE}:not(:has(.o_sms_flow_bubble[data-who=customer]))`},
        {
            content: "A real customer is tried as well, from where he stands",
            trigger: ".o_sms_flow_trial_record input",
            run: "edit Roof",
        },
        {trigger: ".o-autocomplete--dropdown-item:contains(Roof)", run: "click"},
        {trigger: `${PHONE} header:contains(Roof)`},
        {trigger: `${PHONE} .o_sms_flow_answers button:contains(when)`, run: "click"},
        {trigger: said("us", "Text of Which day")},
    ],
});

/** Somebody looks at where a customer has been. */
tours.add("sms_flow_path", {
    steps: () => [
        {trigger: `div${box("Which day")}.o_sms_flow_current`},
        {trigger: `div${box("Sale")}.o_sms_flow_visited:not(.o_sms_flow_current)`},
        {trigger: ".o_sms_flow_words.o_sms_flow_lit:contains(when)"},
        {trigger: ".o_sms_flow_words:not(.o_sms_flow_lit):contains(JA)"},
    ],
});

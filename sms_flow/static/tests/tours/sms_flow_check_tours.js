import {registry} from "@web/core/registry";

const tours = registry.category("web_tour.tours");

const FINDING = ".modal .o_data_row";

/** The manager switches a flow on, looks at what was found, and switches it on all the same. */
tours.add("sms_flow_check", {
    steps: () => [
        {trigger: ".o_form_view button[name=action_switch_on]", run: "click"},
        {
            content: "The finding says where, what and on how many records",
            trigger: `${FINDING}:contains(Warning):contains(Sale):contains(2 of 3 records)`,
        },
        {trigger: `${FINDING} button[name=action_open_records]`, run: "click"},
        {
            content: "They are listed",
            trigger: ".o_list_view:not(:has(.modal)) .o_data_row:contains(Nameless)",
        },
        {trigger: ".o_breadcrumb a:contains(Heat pumps)", run: "click"},
        {trigger: ".o_form_view button[name=action_switch_on]", run: "click"},
        {
            content: "Open the step from the finding",
            trigger: `${FINDING} button[name=action_open_step]`,
            run: "click",
        },
        {
            trigger: ".modal [name=body] textarea",
            run: "edit Shall we install it?",
        },
        {trigger: ".modal .o_form_button_save", run: "click"},
        {trigger: "body:not(:has(.modal)) .o_form_view button[name=action_switch_on]"},
        {trigger: ".o_form_view button[name=action_switch_on]", run: "click"},
        {trigger: ".o_notification:contains(Heat pumps is on)"},
        {trigger: ".o_form_view button[name=action_switch_off]"},
    ],
});

/** An error keeps the flow off. */
tours.add("sms_flow_check_error", {
    steps: () => [
        {trigger: ".o_form_view button[name=action_switch_on]", run: "click"},
        {trigger: `${FINDING}:contains(Error):contains(Take it out of one)`},
        {trigger: ".modal .alert:contains(Put the errors right)"},
        {trigger: ".modal-footer:not(:has(button[name=action_switch_on]))"},
        {trigger: ".modal-footer button[special=cancel], .modal .btn-close", run: "click"},
        {trigger: "body:not(:has(.modal)) .o_form_view button[name=action_switch_on]"},
    ],
});

/** What a customer wrote becomes an answer. */
tours.add("sms_flow_unmatched", {
    steps: () => [
        {trigger: ".o_data_row:contains(Jepp):contains(Sale)"},
        {trigger: ".o_data_row:contains(Jepp) button[name=action_add]", run: "click"},
        {trigger: ".modal [name=word] input:value('jepp')"},
        {trigger: ".modal [name=reply_id] input", run: "click"},
        {trigger: ".o-autocomplete--dropdown-item:contains('ja, ja takk')", run: "click"},
        {
            content: "Where the answer leads",
            trigger: ".modal [name=target_step_id]:contains(Confirmed)",
        },
        {trigger: ".modal-footer button[name=action_add]", run: "click"},
        {trigger: ".o_notification:contains(is an answer from now on)"},
        {trigger: "body:not(:has(.modal)) .o_view_nocontent:contains(Every answer was understood)"},
    ],
});

/** The same on a telephone. */
tours.add("sms_flow_unmatched_phone", {
    steps: () => [
        {
            trigger: ".o_kanban_record:contains(Jepp) button[name=action_add]",
            run: "click",
        },
        {trigger: ".modal [name=word] input:value('jepp')"},
    ],
});

/** The numbers: a graph by step, and a table. */
tours.add("sms_flow_report", {
    steps: () => [
        {trigger: ".o_graph_view .o_graph_canvas_container canvas"},
        {trigger: ".o_switch_view.o_pivot", run: "click"},
        {
            content: "Steps by measures, rates in per cent",
            trigger: ".o_pivot tr:contains(Sale):contains(100.00%)",
        },
        {
            content: "A step that asks nothing has no rate",
            trigger: ".o_pivot tr:contains(Confirmed):not(:contains(%))",
        },
        {trigger: ".o_switch_view.o_list", run: "click"},
        {trigger: ".o_data_row:contains(Sale):contains(SMS reply)"},
    ],
});

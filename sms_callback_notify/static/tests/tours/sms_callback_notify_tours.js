import {registry} from "@web/core/registry";
import {stepUtils} from "@web_tour/tour_utils";

const tours = registry.category("web_tour.tours");

/** Choose one of many; what is typed is not what is meant. */
function choose(field, words) {
    return [
        {trigger: `[name=${field}] input`, run: `edit ${words}`},
        {trigger: `.o-autocomplete--dropdown-item:contains(${words})`, run: "click"},
    ];
}

/** The administrator: what customers of a service are told, and how they say no. */
tours.add("sms_callback_notify_texts", {
    steps: () => [
        {trigger: ".o_notebook a[name=texts]", run: "click"},
        {trigger: "[name=welcome_enabled] input", run: "click"},
        ...choose("welcome_sender_id", "Heat AS"),
        {
            trigger: "[name=welcome_body] textarea",
            run: "edit Welcome to {{ object.service_id.name }}!",
        },
        {trigger: "[name=notify_enabled] input", run: "click"},
        ...choose("notify_sender_id", "Team"),
        {trigger: "[name=notify_position] input", run: "edit 1"},
        {trigger: "[name=decline_words] input", run: "edit no, nope"},
        {
            trigger: "[name=notify_body] textarea",
            run: "edit {{ object.name }}, you are next. Answer NOPE to cancel.",
        },
        {
            content: "What a text costs stands beside it",
            trigger: "[name=notify_body] .o_sms_count",
        },
        ...stepUtils.saveForm(),
    ],
});

/** What came of it: who was told, and who answered no. */
tours.add("sms_callback_notify_outcome", {
    steps: () => [
        {trigger: ".o_searchview .o_facet_remove", run: "click"},
        {trigger: ".o_data_row:contains(Anna Hansen):contains(By SMS)"},
        {trigger: ".o_data_row:contains(Anna Hansen) [name=number]", run: "click"},
        {trigger: ".o_form_view [name=close_reason]:contains(Answer by SMS)"},
        {trigger: ".o_form_view [name=reply_body]:contains(Nope)"},
        {trigger: ".o_form_view [name=notify_state]:contains(By SMS)"},
    ],
});

import {registry} from "@web/core/registry";

const tours = registry.category("web_tour.tours");

/** A supervisor makes a survey by SMS: question, answers with their words, sender. */
tours.add("sms_survey_set_up", {
    steps: () => [
        {trigger: ".o_list_button_add", run: "click"},
        {trigger: ".o_field_widget[name=title] textarea", run: "edit After the call"},
        {
            trigger: ".o_field_x2many_list_row_add a:contains(Add a question)",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name=title] input, .modal [name=title] textarea",
            run: "edit Was it solved?",
        },
        {
            trigger: ".modal [name=suggested_answer_ids] .o_field_x2many_list_row_add a",
            run: "click",
        },
        {trigger: ".modal .o_selected_row [name=value] input", run: "edit Yes"},
        {trigger: ".modal .o_selected_row [name=sms_keywords] input", run: "edit ja, japp"},
        {trigger: ".modal .o_selected_row [name=answer_score] input", run: "edit 1"},
        {trigger: ".modal .o_form_button_save", run: "click"},
        {
            content: "With the question the survey was saved",
            trigger: "body:not(:has(.modal)) .o_data_row:contains(Was it solved?)",
        },
        {trigger: ".alert-warning:contains(Nobody is asked yet)"},
        {trigger: ".o_notebook a[name=sms]", run: "click"},
        {trigger: ".o_field_widget[name=sms_sender_id] input", run: "edit Surveys"},
        {trigger: ".o-autocomplete--dropdown-item:contains(59445003)", run: "click"},
        {trigger: "button.o_form_button_save", run: "click"},
        {trigger: ".o_form_saved:not(:has(.alert-warning))"},
    ],
});

/** The report is under the contact center's one menu; by agent and answer. */
tours.add("sms_survey_report", {
    steps: () => [
        {trigger: "[data-menu-xmlid='contact_center.menu_reporting']", run: "click"},
        {
            trigger: ".dropdown-item[data-menu-xmlid='sms_survey.menu_reporting_surveys']",
            run: "click",
        },
        {trigger: ".o_graph_renderer canvas"},
        {trigger: ".o_switch_view.o_pivot", run: "click"},
        {content: "By service and agent", trigger: ".o_pivot th:contains(Total)"},
        {trigger: ".o_switch_view.o_list", run: "click"},
        {trigger: ".o_data_row:contains(Support):contains(Ada):contains(5)"},
    ],
});

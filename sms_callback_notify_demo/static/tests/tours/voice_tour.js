import {registry} from "@web/core/registry";

const PHONE = ".o_sms_demo_phone[aria-label=Bakery]";
const said = [];

/** What a browser without loudspeakers is asked to say. */
function listen() {
    window.speechSynthesis.speak = ({text}) => said.push(text);
}

registry.category("web_tour.tours").add("sms_callback_notify_demo_voice", {
    steps: () => [
        {
            content: "The telephone rings; what it will say is not known yet",
            trigger: `${PHONE} .o_sms_demo_voice[data-state=ringing]:not(:contains(You are number))`,
            run: listen,
        },
        {
            content: "Answer",
            trigger: `${PHONE} .o_sms_demo_voice_answer`,
            run: "click",
        },
        {
            content: "The words are on the screen, and spoken",
            trigger: `${PHONE} .o_sms_demo_voice[data-state=talking] .o_sms_demo_voice_words:contains(You are number 1)`,
            run() {
                if (said.join() !== "You are number 1") {
                    throw new Error(`It says ${said.join()}`);
                }
            },
        },
        {trigger: `${PHONE} .o_sms_demo_voice_key[data-key="1"]:contains(Keep my place)`},
        {
            content: "Press 2",
            trigger: `${PHONE} .o_sms_demo_voice_key[data-key="2"]`,
            run: "click",
        },
        {
            content: "The call has ended, without a reload",
            trigger: `${PHONE}:not(:has(.o_sms_demo_voice))`,
        },
    ],
});

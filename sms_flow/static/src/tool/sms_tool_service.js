import {_t} from "@web/core/l10n/translation";
import {rpcBus} from "@web/core/network/rpc";
import {UPDATE_METHODS} from "@web/core/orm_service";
import {registry} from "@web/core/registry";
import {session} from "@web/session";

/**
 * @typedef {object} Tool
 * @property {number} id
 * @property {string} name
 * @property {string} icon
 * @property {string} description
 */

/** The SMS tools: which of them stand on what, and pressing them. */
export const smsToolService = {
    dependencies: ["action", "orm"],

    start(env, {action, orm}) {
        let models = new Set(session.sms_tool_models || []);

        // What an administrator changes here shows without a reload of the page
        rpcBus.addEventListener("RPC:RESPONSE", ({detail}) => {
            const {model, method} = detail.data.params;
            if (!detail.error && model === "sms.tool" && UPDATE_METHODS.includes(method)) {
                models = null;
            }
        });

        /**
         * @param {string} resModel
         * @param {number[]} resIds
         * @returns {Promise<Tool[]>} those that stand on at least one of the records
         */
        async function find(resModel, resIds) {
            const isPossible = !models || models.has(resModel);
            if (!isPossible || !resIds.length) {
                return [];
            }
            return orm.silent.call("sms.tool", "get_visible", [resModel, resIds]);
        }

        /**
         * @param {Tool} tool
         * @param {number[]} resIds
         */
        async function run(tool, resIds) {
            await action.doAction(await orm.call("sms.tool", "run", [[tool.id], resIds]));
        }

        /**
         * @param {number} count
         * @returns {string} what one is asked before many are texted
         */
        function askFor(count) {
            return _t("Each of the %s selected records that matches gets a text now.", count);
        }

        return {askFor, find, run};
    },
};

registry.category("services").add("sms_tool", smsToolService);

import {formatPercentage} from "@web/views/fields/formatters";
import {registry} from "@web/core/registry";

/**
 * A rate in per cent; empty where there is nothing it could be of, where core writes 0 %.
 *
 * @param {number|false} value
 * @param {object} [options]
 * @returns {string}
 */
export function formatRate(value, options) {
    return value === false ? "" : formatPercentage(value, options);
}
formatRate.extractOptions = formatPercentage.extractOptions;

registry.category("formatters").add("sms_flow_rate", formatRate);

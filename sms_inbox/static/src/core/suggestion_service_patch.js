import {SuggestionService} from "@mail/core/common/suggestion_service";
import {patch} from "@web/core/utils/patch";

/** Canned responses and emoji; a customer knows neither our people nor our channels. */
const FIT = new Set(["::", ":"]);

patch(SuggestionService.prototype, {
    /** @override */
    getSupportedDelimiters(thread) {
        const delimiters = super.getSupportedDelimiters(...arguments);
        return thread?.isSms ? delimiters.filter(([delimiter]) => FIT.has(delimiter)) : delimiters;
    },
});

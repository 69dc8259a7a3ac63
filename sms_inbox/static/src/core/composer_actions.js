import {registerComposerAction} from "@mail/core/common/composer_actions";
import {TemplatePicker} from "@sms_inbox/components/template_picker/template_picker";
import {_t} from "@web/core/l10n/translation";

registerComposerAction("sms-template", {
    condition: ({composer, owner}) => owner.isSms && composer.targetThread.isSms,
    dropdown: true,
    dropdownComponent: TemplatePicker,
    dropdownComponentProps: ({composer}) => ({composer}),
    dropdownMenuClass: "o-sms-TemplatePicker-menu",
    hotkey: "shift+s",
    icon: "fa fa-file-text-o",
    name: _t("SMS templates"),
    sequenceQuick: 10,
});

from . import sms_composer
from . import sms_message_erase
from . import sms_template_preview

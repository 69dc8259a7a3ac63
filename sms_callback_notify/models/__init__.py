from . import contact_center_text
from . import contact_center_call
from . import contact_center_callback
from . import contact_center_service
from . import sms_message

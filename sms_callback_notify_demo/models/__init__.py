from . import contact_center_callback
from . import contact_center_connector
from . import sms_demo_phone
from . import sms_demo_voice

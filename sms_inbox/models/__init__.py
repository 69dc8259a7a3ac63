from . import res_partner
from . import sms_message

from . import mailing_mailing
from . import mailing_trace
from . import res_company
from . import sms_message

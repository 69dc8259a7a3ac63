from . import sms_composer
from . import sms_flow_check
from . import sms_flow_copy
from . import sms_flow_start
from . import sms_flow_unmatched_add

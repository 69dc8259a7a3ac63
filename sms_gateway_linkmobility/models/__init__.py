from . import sms_gate
from . import sms_gateway
from . import sms_gateway_adapter_linkmobility
from . import sms_lane

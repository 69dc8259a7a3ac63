from . import base_partner_merge
from . import sms_conversation_assign
from . import sms_conversation_move
from . import sms_conversation_open
from . import sms_conversation_open_number
from . import sms_message_handle
from . import sms_message_handle_line

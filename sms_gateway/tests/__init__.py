from . import test_gate
from . import test_ir_websocket
from . import test_lane
from . import test_mail
from . import test_quiet_hours
from . import test_segments
from . import test_sender
from . import test_tours

from . import test_lane
from . import test_segments
from . import test_sender

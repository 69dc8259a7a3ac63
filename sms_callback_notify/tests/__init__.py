from . import test_notify
from . import test_offer
from . import test_tours
from . import test_welcome

from . import test_access
from . import test_actions
from . import test_answers
from . import test_asking
from . import test_report
from . import test_tours

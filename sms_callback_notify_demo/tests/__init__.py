from . import test_telephones_tour
from . import test_voice

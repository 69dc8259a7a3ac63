from . import test_carrier, test_contract, test_controllers, test_security, test_telephones_tour

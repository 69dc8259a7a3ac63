from . import contact_center

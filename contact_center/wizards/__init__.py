from . import contact_center_token

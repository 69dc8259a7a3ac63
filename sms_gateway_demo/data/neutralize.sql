-- a copy of the database must not call Odoo as the original's carrier
UPDATE sms_gateway SET demo_secret = NULL, demo_carrier_url = NULL;
UPDATE sms_demo_call SET state = 'failed' WHERE state IN ('waiting', 'calling');
UPDATE sms_demo_text SET due_at = NULL WHERE state = 'waiting';

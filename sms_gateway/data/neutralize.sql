-- A copy of the database sends nothing and takes nothing in.
UPDATE sms_gateway
   SET state = 'disabled', webhook_token = md5(random()::text || id);
UPDATE sms_sms SET state = 'canceled' WHERE state = 'outgoing' AND sender_id IS NOT NULL;
